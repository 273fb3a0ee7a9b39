"""What ClickHouse answers to the page's questions, over several inserts, with copies that it has not merged away."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api import looks
from schemas.contract import contract
from schemas.derive.fakes import Row, fill
from schemas.ops.tables import Quarantine
from schemas.purchases.silver import PurchaseCorrections, PurchaseLines
from tests.support.clickhouse import definitions
from tests.support.local_clickhouse import LocalClickHouse, insert
from tests.support.purchases import purchase_lines

LINES, REFUSED, CORRECTIONS = map(contract, (PurchaseLines, Quarantine, PurchaseCorrections))
SINCE = datetime(2026, 1, 31, 9, tzinfo=UTC)


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-01-31T{clock}+00:00")


def arrived(clock: str, text: str) -> list[Row]:
    """The lines as the stream brings them at that time."""
    arrival = 2**62 - int(at(clock).timestamp() * 1e6)
    return [row | {"ingested_at": at(clock), "arrival": arrival} for row in purchase_lines(text)]


def stream() -> list[str]:
    basket = """
        | event_id | line_no | purchased_at     | seller_id | product_id | description | currency_code | quantity | line_amount |
        | basket   | 0       | 2026-01-30 10:00 | s1        | tea        | Green tea   | KZT           | 1        | 40.25       |
        | basket   | 1       | 2026-01-30 10:00 | s1        | rice       |             | KZT           | 3        | 99.50       |
    """  # noqa: E501
    others = """
        | event_id | line_no | purchased_at     | seller_id | product_id | description | currency_code | quantity | line_amount |
        | euro     | 0       | 2026-01-31 10:00 | s2        | lamp       | Desk lamp   | EUR           | 1        | 10.00       |
        | back     | 0       | 2026-01-31 10:00 | s1        | tea        | Green tea   | KZT           | -2       | -80.50      |
    """  # noqa: E501
    draft = basket.replace("basket  ", "draft   ").replace("40.25", "90.25")
    listed = {"event_id": "draft", "ingested_at": at("09:29:05"), "superseded_by_event_id": "basket"}
    before = others.replace("euro", "olds").replace("back", "gone")
    return [
        insert(LINES, arrived("08:59:59", before)),
        # What a later event of its number superseded counts nowhere.
        insert(LINES, arrived("09:29:05", draft)),
        insert(CORRECTIONS, [fill(CORRECTIONS, listed | {"superseded_at": at("09:30:05")}, 0)]),
        insert(LINES, arrived("09:30:05", basket)),
        # The same event, sent again: later, and in another block.
        insert(LINES, arrived("09:30:47", basket)),
        insert(LINES, arrived("09:31:02", others)),
    ]


def refused() -> list[str]:
    rows = [("a", "08:00:00"), ("b", "09:10:00"), ("c", "09:20:00"), ("c", "09:25:00")]
    return [
        insert(REFUSED, [fill(REFUSED, {"kafka_topic": "purchases", "event_id": name, "ingested_at": at(clock)}, n)])
        for n, (name, clock) in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    folder: Path = tmp_path_factory.mktemp("clickhouse")
    names = ("TAKINGS", "PRODUCTS", "PURCHASES", "NEWEST", "REFUSED", "REFUSALS")
    bound = {"{since:UInt32}": str(int(SINCE.timestamp())), "{most:UInt32}": "2"}
    questions = []
    for name in names:
        sql = getattr(looks, name).replace(looks._QUIET, "")
        for placeholder, value in bound.items():
            sql = sql.replace(placeholder, value)
        questions.append(sql)
    told = LocalClickHouse(folder).ask(*questions, before=[*definitions(), *stream(), *refused()])
    return dict(zip(names, told, strict=True))


def test_takings_are_in_steps_and_a_copy_counts_once_by_the_first(answers: dict[str, list[dict[str, Any]]]) -> None:
    found = {(row["taken_at"], row["currency_code"]): row for row in answers["TAKINGS"]}
    first, second = int(at("09:30:00").timestamp()), int(at("09:31:00").timestamp())

    assert set(found) == {(first, "KZT"), (second, "KZT"), (second, "EUR")}
    assert (found[first, "KZT"]["revenue_amount"], found[first, "KZT"]["purchase_count"]) == (139.75, 1)
    assert (found[second, "KZT"]["revenue_amount"], found[second, "EUR"]["revenue_amount"]) == (-80.5, 10.0)


def test_products_are_ranked_by_currency_with_returns_taken_off(answers: dict[str, list[dict[str, Any]]]) -> None:
    found = [
        (row["currency_code"], row["product_id"], row["description"], row["piece_count"], row["revenue_amount"])
        for row in sorted(answers["PRODUCTS"], key=lambda row: row["currency_code"])
    ]

    assert found == [
        ("EUR", "lamp", "Desk lamp", 1, 10.0),
        ("KZT", "rice", None, 3, 99.5),
        ("KZT", "tea", "Green tea", -1, -40.25),
    ]


def test_the_latest_purchases_are_whole_and_named_by_their_dearest_line(
    answers: dict[str, list[dict[str, Any]]],
) -> None:
    found = [(row["event_id"], row["amount"], row["line_count"], row["product"]) for row in answers["PURCHASES"]]

    assert found == [("back", -80.5, 1, "Green tea"), ("euro", 10.0, 1, "Desk lamp")]
    assert answers["PURCHASES"][0]["at"] == at("09:31:02").timestamp()
    assert answers["PURCHASES"][0]["seller_id"] == "s1"


def test_the_newest_is_told_with_how_many_there_are(answers: dict[str, list[dict[str, Any]]]) -> None:
    assert answers["NEWEST"] == [{"at": at("09:31:02").timestamp(), "line_count": 10}]


def test_a_refused_event_counts_once(answers: dict[str, list[dict[str, Any]]]) -> None:
    assert answers["REFUSED"] == [{"refused_count": 2}]
    assert [(row["event_id"], row["at"]) for row in answers["REFUSALS"]] == [
        ("c", at("09:25:00").timestamp()), ("b", at("09:10:00").timestamp())
    ]  # fmt: skip
