"""What ClickHouse answers to the page's questions, over several inserts, with copies that it has not merged away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.live import queries
from api.purchases import live_queries
from api.purchases.live_document import RevenueStep, Sales, members
from schemas.contract import contract
from schemas.derive.fakes import Row, fill
from schemas.ops.tables import Quarantine
from schemas.purchases.silver import PurchaseCorrections, PurchaseLines
from schemas.rates.silver import ExchangeRates
from tests.support.clickhouse import definitions
from tests.support.local_clickhouse import LocalClickHouse, insert
from tests.support.purchases import purchase_lines
from tests.support.tables import table_from_text

LINES, REFUSED, CORRECTIONS, RATES = map(contract, (PurchaseLines, Quarantine, PurchaseCorrections, ExchangeRates))
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


def rates() -> str:
    given = """
        | event_id | base_currency_code | currency_code | quoted_on  | rate  | quantity | source |
        | r1       | KZT                | EUR           | 2026-01-30 | 560.5 | 1        | a.csv  |
    """
    return insert(RATES, table_from_text(RATES, given))


def refused() -> list[str]:
    rows = [("a", "08:00:00"), ("b", "09:10:00"), ("c", "09:20:00"), ("c", "09:25:00")]
    return [
        insert(REFUSED, [fill(REFUSED, {"kafka_topic": "purchases", "event_id": name, "ingested_at": at(clock)}, n)])
        for n, (name, clock) in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    folder: Path = tmp_path_factory.mktemp("clickhouse")
    names = ("REVENUE", "PRODUCTS", "TOP_PRODUCTS", "PURCHASES", "NEWEST", "REFUSED", "REFUSALS")
    bound = {"{since:UInt32}": str(int(SINCE.timestamp())), "{most:UInt32}": "2"}
    questions = []
    for name in names:
        text = (getattr(live_queries, name, None) or getattr(queries, name)).replace(queries.QUIET, "")
        for placeholder, value in bound.items():
            text = text.replace(placeholder, value)
        questions.append(text)
    answered = LocalClickHouse(folder).ask(*questions, before=[*definitions(), *stream(), rates(), *refused()])
    return dict(zip(names, answered, strict=True))


def test_steps_are_in_steps_and_a_copy_counts_once_by_the_first(answers: dict[str, list[dict[str, Any]]]) -> None:
    actual = {(row["begins_at"], row["currency_code"]): row for row in answers["REVENUE"]}
    first, second = int(at("09:30:00").timestamp()), int(at("09:31:00").timestamp())

    assert set(actual) == {(first, "KZT"), (second, "KZT"), (second, "EUR")}
    assert (actual[first, "KZT"]["revenue_amount"], actual[first, "KZT"]["purchase_count"]) == (139.75, 1)
    assert (actual[second, "KZT"]["revenue_amount"], actual[second, "EUR"]["revenue_amount"]) == (-80.5, 10.0)


def test_products_are_ranked_by_currency_with_returns_taken_off(answers: dict[str, list[dict[str, Any]]]) -> None:
    actual = [
        (row["currency_code"], row["product_id"], row["description"], row["piece_count"], row["revenue_amount"])
        for row in sorted(answers["PRODUCTS"], key=lambda row: row["currency_code"])
    ]

    assert actual == [
        ("EUR", "lamp", "Desk lamp", 1, 10.0),
        ("KZT", "rice", None, 3, 99.5),
        ("KZT", "tea", "Green tea", -1, -40.25),
    ]


def test_all_currencies_are_ranked_together_in_the_base_currency(answers: dict[str, list[dict[str, Any]]]) -> None:
    """Ten euros, at 560.50 tenge of the day before, go before 99.50 tenge."""
    actual = [(row["currency_code"], row["seller_id"], row["product_id"], row["revenue_amount"])
             for row in answers["TOP_PRODUCTS"]]  # fmt: skip
    euro = next(row for row in answers["REVENUE"] if row["currency_code"] == "EUR")

    assert actual == [("KZT", "s2", "lamp", 5605.0), ("KZT", "s1", "rice", 99.5)]
    assert (euro["revenue_base_amount"], euro["unconverted_line_count"], euro["base_currency_code"]) == (5605, 0, "KZT")


def test_the_latest_purchases_are_whole_and_named_by_their_dearest_line(
    answers: dict[str, list[dict[str, Any]]],
) -> None:
    actual = [(row["event_id"], row["amount"], row["line_count"], row["product"]) for row in answers["PURCHASES"]]

    assert actual == [("back", -80.5, 1, "Green tea"), ("euro", 10.0, 1, "Desk lamp")]
    assert answers["PURCHASES"][0]["at"] == at("09:31:02").timestamp()
    assert answers["PURCHASES"][0]["seller_id"] == "s1"


def test_the_newest_is_told_with_how_many_there_are(answers: dict[str, list[dict[str, Any]]]) -> None:
    assert answers["NEWEST"] == [{"at": at("09:31:02").timestamp(), "line_count": 10}]


def test_a_refused_event_counts_once(answers: dict[str, list[dict[str, Any]]]) -> None:
    assert answers["REFUSED"] == [{"refused_count": 2}]
    assert [(row["event_id"], row["at"]) for row in answers["REFUSALS"]] == [
        ("c", at("09:25:00").timestamp()), ("b", at("09:10:00").timestamp())
    ]  # fmt: skip


LAST_HOUR = """
    | event_id | line_no | purchased_at     | seller_id | product_id | description | currency_code | quantity | line_amount |
    | one      | 0       | 2026-01-31 09:00 | s1        | P1         | Tea         | KZT           | 2        | 5000        |
    | two      | 0       | 2026-01-31 09:00 | s2        | P1         | Lamp        | EUR           | 1        | 10          |
    | three    | 0       | 2026-01-31 09:00 | s2        | P1         | Lamp        | KZT           | 1        | 100         |
    | back     | 0       | 2026-01-31 09:00 | s1        | P1         | Tea         | KZT           | -1       | -2500       |
    | strange  | 0       | 2026-01-31 09:00 | s3        | P9         | Cup         | USD           | 4        | 400         |
    | wrong    | 0       | 2026-01-31 09:00 | s1        | P2         | Rice        | KZT           | 9        | 99000       |
"""  # noqa: E501


def test_the_page_shows_what_the_view_of_the_same_question_says(tmp_path: Path) -> None:
    """The fault: the page's top product was none of the views', and added up two sellers' products of one code."""
    now = datetime.now(UTC)
    rows = [
        row | {"ingested_at": now - timedelta(minutes=n), "arrival": 2**62 - n}
        for n, row in enumerate(purchase_lines(LAST_HOUR), 1)
    ]
    old = [row | {"event_id": f"old {row['event_id']}", "ingested_at": now - timedelta(minutes=61)} for row in rows]
    corrected = fill(CORRECTIONS, {"event_id": "wrong", "ingested_at": now, "seller_id": "s1"}, 1)
    sql = live_queries.TOP_PRODUCTS.replace(queries.QUIET, "").replace("{most:UInt32}", "8")
    page, view = LocalClickHouse(tmp_path).ask(
        sql.replace("{since:UInt32}", str(int(now.timestamp()) - queries.HOUR)),
        "SELECT * FROM silver.top_products_arrived_last_hour",
        before=[*definitions(), *(insert(LINES, [row]) for row in [*rows, *rows, *old]), rates(),
                insert(CORRECTIONS, [corrected])],
    )  # fmt: skip
    steps = [RevenueStep(int(now.timestamp()), "EUR", 10.0, 1, "KZT", 5605.0)]
    answered = members(now.timestamp(), Sales(steps, top_products=page))["currencies"][0]

    shown = [(p["seller_id"], p["product_id"], p["description"], p["revenue_amount"]) for p in answered["products"]]
    # Ten euros at 560.50, and a hundred tenge: one product of one seller.
    assert shown == [("s2", "P1", "Lamp", 5705), ("s1", "P1", "Tea", 2500), ("s3", "P9", "Cup", None)]
    assert shown == [
        (row["seller_id"], row["product_id"], row["description"],
         None if row["revenue_base_amount"] is None else float(row["revenue_base_amount"]))
        for row in view
    ]  # fmt: skip
    assert [p["piece_count"] for p in answered["products"]] == [r["sold_count"] - r["returned_count"] for r in view]
    assert [row["place"] for row in view] == [1, 2, 3]
    assert [row["unconverted_line_count"] for row in view] == [0, 0, 1]
    assert [(row["currency_code"], row["revenue_amount"]) for row in view] == [
        (None, None), ("KZT", "2500"), ("USD", "400")
    ]  # fmt: skip
