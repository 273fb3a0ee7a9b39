"""Transactions of a shop's producer: what was taken back is never shown, what is still open is waited for in words."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from decimal import Decimal

import pytest
from confluent_kafka import Producer

from conf import REPOSITORY, Settings
from conf.connect import clickhouse, producer_config
from conf.flow import Unsettled, held_back, settle
from tests.support.stream import Stream

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

TOPIC, DAY = "purchases", "2026-11-22"
SELLER = f"transactions-{secrets.token_hex(3)}"
QUICK = {"delivery.timeout.ms": 20_000}


def send(producer: Producer, number: int, price: int, **place: int) -> None:
    """A purchase of one piece. The number of its purchase is the same for 2 and 3: the second is a retry."""
    line = {"product_id": "P1", "quantity": 1, "unit_price": price}
    value = {
        "purchase_id": f"{SELLER}-{min(number, 2) if number < 4 else number}", "purchased_at": f"{DAY}T09:30:00Z",
        "seller_id": SELLER, "currency_code": "KZT", "lines": [line],
    }  # fmt: skip
    headers = [
        ("ce_id", f"{SELLER}-{number}".encode()), ("ce_type", b"purchase"), ("ce_source", b"shop"),
        ("ce_specversion", b"1.0"), ("content-type", b"application/json"),
    ]  # fmt: skip
    producer.produce(TOPIC, json.dumps(value).encode(), key=SELLER.encode(), headers=headers, **place)


@pytest.fixture(scope="module")
def shop(chosen: Settings, stream: Stream) -> Producer:
    """A shop's program that sends in transactions."""
    stream.start()
    producer = Producer(producer_config(chosen) | QUICK | {"transactional.id": SELLER})
    producer.init_transactions(30)
    stream.wait_ready()
    return producer


def settled(chosen: Settings) -> None:
    settle(chosen, [TOPIC], 90, lambda _: None)


def sums(chosen: Settings) -> dict[str, Decimal]:
    """The seller's money in ClickHouse and in the lake."""
    client = clickhouse(chosen)
    places = {"ClickHouse": "silver.purchase_lines FINAL"}
    places["lake"] = f"deltaLake(lake, url='{chosen.table_url('silver.purchase_lines')}')"
    asked = "SELECT sum(line_amount) FROM {} WHERE seller_id = %(seller)s"
    found = {
        name: client.query(asked.format(place), {"seller": SELLER}).result_rows[0][0] for name, place in places.items()
    }
    client.close()
    return found


def test_what_a_producer_took_back_is_never_shown(shop: Producer, chosen: Settings) -> None:
    shop.begin_transaction()
    send(shop, 1, 100)
    shop.commit_transaction()
    shop.begin_transaction()
    send(shop, 2, 999)
    shop.flush()
    shop.abort_transaction()
    shop.begin_transaction()
    send(shop, 3, 500)
    shop.commit_transaction()
    settled(chosen)
    assert sums(chosen) == {"ClickHouse": 600, "lake": 600}
    built = [sys.executable, "-m", "jobs.run", "gold.purchases_seller_daily", "--day", DAY]
    subprocess.run(built, cwd=REPOSITORY, check=True, capture_output=True)
    client = clickhouse(chosen)
    gold = "SELECT sum(revenue_amount), sum(order_count) FROM gold.purchases_seller_daily WHERE seller_id = %(seller)s"
    assert client.query(gold, {"seller": SELLER}).result_rows == [(600, 2)]
    client.close()


def test_a_topic_that_ends_in_something_taken_back_is_read_to_its_end(shop: Producer, chosen: Settings) -> None:
    shop.begin_transaction()
    send(shop, 4, 999)
    shop.flush()
    shop.abort_transaction()
    settled(chosen)
    assert sums(chosen) == {"ClickHouse": 600, "lake": 600}


def test_what_waits_behind_an_open_transaction_is_told_and_comes_with_its_end(shop: Producer, chosen: Settings) -> None:
    shop.begin_transaction()
    send(shop, 5, 30, partition=0)
    shop.flush()
    other = Producer(producer_config(chosen))
    send(other, 6, 4, partition=0)
    assert other.flush(20) == 0
    (sentence,) = held_back(chosen)
    assert sentence.startswith("an open transaction of a producer holds back 2 events of purchases (partition 0, from")
    with pytest.raises(Unsettled, match="an open transaction of a producer holds back 2 events of purchases"):
        settle(chosen, [TOPIC], 1, lambda _: None)
    assert sums(chosen)["ClickHouse"] == 600
    shop.commit_transaction()
    settled(chosen)
    assert held_back(chosen) == []
    assert sums(chosen) == {"ClickHouse": 634, "lake": 634}
