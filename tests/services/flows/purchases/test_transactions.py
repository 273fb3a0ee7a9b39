"""Transactions of a shop's producer: what was taken back is never shown, what is still open is waited for in words.

Gold is looked at in test_jobs.py, where it is built.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from confluent_kafka import Producer

from conf import Settings
from conf.connect import clickhouse, producer_config
from conf.stream_progress import Unsettled, held_back, settle
from tests.support.stream import Stream
from tests.support.transactions import RIGHT, TOPIC, WRONG, TransactingShop

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def shop(chosen: Settings, stream: Stream) -> TransactingShop:
    stream.start()
    stream.wait_ready()
    return TransactingShop(chosen)


def settled(chosen: Settings) -> None:
    settle(chosen, [TOPIC], 90, lambda _: None)


def sums(chosen: Settings, shop: TransactingShop) -> dict[str, Decimal]:
    """The seller's money in ClickHouse and in the lake."""
    client = clickhouse(chosen)
    places = {"ClickHouse": "silver.purchase_lines FINAL"}
    places["lake"] = f"deltaLake(lake, url='{chosen.table_url('silver.purchase_lines')}')"
    statement, seller = "SELECT sum(line_amount) FROM {} WHERE seller_id = %(seller)s", {"seller": shop.seller}
    rows = {name: client.query(statement.format(place), seller).result_rows[0][0] for name, place in places.items()}
    client.close()
    return rows


@pytest.mark.smoke
def test_what_a_producer_took_back_is_never_shown(shop: TransactingShop, chosen: Settings) -> None:
    shop.change_its_mind()
    settled(chosen)
    assert sums(chosen, shop) == {"ClickHouse": RIGHT, "lake": RIGHT}


def test_a_topic_that_ends_in_something_taken_back_is_read_to_its_end(shop: TransactingShop, chosen: Settings) -> None:
    shop.take_back("c", "4", WRONG)
    settled(chosen)
    assert sums(chosen, shop) == {"ClickHouse": RIGHT, "lake": RIGHT}


def test_what_waits_behind_an_open_transaction_is_told_and_comes_with_its_end(
    shop: TransactingShop, chosen: Settings
) -> None:
    shop.producer.begin_transaction()
    shop.send("d", "5", 30, partition=0)
    shop.producer.flush()
    other = Producer(producer_config(chosen))
    shop.send("e", "6", 4, by=other, partition=0)
    assert other.flush(20) == 0
    (sentence,) = held_back(chosen)
    assert sentence.startswith("an open transaction of a producer holds back 2 events of purchases (partition 0, from")
    with pytest.raises(Unsettled, match="an open transaction of a producer holds back 2 events of purchases"):
        settle(chosen, [TOPIC], 5, lambda _: None)
    assert sums(chosen, shop)["ClickHouse"] == RIGHT
    shop.producer.commit_transaction()
    settled(chosen)
    assert held_back(chosen) == []
    assert sums(chosen, shop) == {"ClickHouse": RIGHT + 34, "lake": RIGHT + 34}
