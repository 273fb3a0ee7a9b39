"""What holds today of tables that keep versions: the same in Spark as in the views of ClickHouse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs.core.latest import latest
from schemas.contract import contract
from schemas.derive.fakes import Row
from schemas.procurement.silver.contracts import Debarments
from schemas.procurement.silver.plans import PlanningItems
from schemas.procurement.silver.tenders import Bids, Deletions, Lots
from tests.support.clickhouse import answers, definitions, inserted
from tests.support.procurement import silver
from tests.support.transforms import frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOTS = silver(
    Lots,
    """
    | event_id | lot_id | tender_id | changed_at       | ingested_at      | kafka_offset | is_published | number |
    | a        | l1     | t1        | 2026-01-01 09:00 | 2026-01-01 10:00 | 1            |              | old    |
    | b        | l1     | t1        | 2026-01-02 09:00 | 2026-01-02 10:00 | 2            |              | new    |
    | c        | l2     | t1        | 2026-01-02 09:00 | 2026-01-02 10:00 | 3            |              | first  |
    | d        | l2     | t1        | 2026-01-02 09:00 | 2026-01-03 10:00 | 4            |              | second |
    | e        | l3     | t1        | 2026-01-01 09:00 | 2026-01-01 10:00 | 5            |              | there  |
    | f        | l3     | t1        | 2026-01-02 09:00 | 2026-01-02 10:00 | 6            | false        | gone   |
    | g        | l4     | t2        | 2026-01-01 09:00 | 2026-01-01 10:00 | 7            |              | early  |
    | h        | l5     | t2        | 2026-01-05 09:00 | 2026-01-05 10:00 | 8            |              | later  |
    | i        | l6     | t3        | 2026-01-01 09:00 | 2026-01-01 10:00 | 9            |              | struck |
""",
)
BIDS = silver(
    Bids,
    """
    | event_id | line_no | bid_id | application_id | lot_id | changed_at       | ingested_at      | kafka_offset |
    | a        | 0       | o1     | a1             | l1     | 2026-01-01 09:00 | 2026-01-01 10:00 | 1            |
    | a        | 1       | o2     | a1             | l2     | 2026-01-01 09:00 | 2026-01-01 10:00 | 1            |
    | b        | 0       | o1     | a1             | l1     | 2026-01-02 09:00 | 2026-01-02 10:00 | 2            |
    | c        | 0       | o3     | a2             | l1     | 2026-01-02 09:00 | 2026-01-02 10:00 | 3            |
""",
)
PLANS = silver(
    PlanningItems,
    """
    | event_id | planning_item_id | changed_at       | ingested_at      | kafka_offset |
    | a        | p1               | 2026-01-01 09:00 | 2026-01-01 10:00 | 1            |
    | b        | p2               | 2026-01-01 09:00 | 2026-01-01 10:00 | 2            |
""",
)
LISTED = silver(
    Debarments,
    """
    | event_id | system_code | debarment_id | source_code | changed_at       | ingested_at      | kafka_offset |
    | a        | 3           | d1           | rnu_entry   | 2026-01-01 09:00 | 2026-01-01 10:00 | 1            |
    | b        | 3           | d1           | rnu         | 2026-01-09 09:00 | 2026-01-09 10:00 | 2            |
    | c        | 3           | d2           | rnu         | 2026-01-01 09:00 | 2026-01-01 10:00 | 3            |
    | d        | 3           | d3           | rnu         | 2026-01-01 09:00 | 2026-01-01 10:00 | 4            |
""",
)
# t2 was deleted between the changes of its two lots; p1 was deleted and is there again; another collection has its own.
GONE = silver(
    Deletions,
    """
    | collection_code | event_id | service_name | object_id | changed_at       | is_deleted | kafka_offset |
    | c               | a        | trd_buy      | t2        | 2026-01-03 09:00 |            | 1            |
    | c               | b        | Lots         | l6        | 2026-01-03 09:00 |            | 2            |
    | other           | c        | lots         | l1        | 2026-09-03 09:00 |            | 3            |
    | c               | d        | trd-app      | a2        | 2026-01-03 09:00 |            | 4            |
    | c               | e        | plans        | p1        | 2026-01-03 09:00 | true       | 5            |
    | c               | f        | plans        | p1        | 2026-01-04 09:00 | false      | 6            |
    | c               | g        | plans        | p2        | 2026-01-03 09:00 | true       | 7            |
    | c               | h        | rnu          | 3-d3      | 2026-01-03 09:00 |            | 8            |
""",
)
CASES: dict[type, list[Row]] = {Lots: LOTS, Bids: BIDS, PlanningItems: PLANS, Debarments: LISTED}
WANTED = {
    Lots: [("l1", "b"), ("l2", "d"), ("l5", "h")],
    Bids: [("o1", "b")],
    PlanningItems: [("p1", "a")],
    Debarments: [("d1", "a"), ("d2", "c")],
}


def held(spark: SparkSession, table: type) -> list[tuple[str, str]]:
    rows = latest(frame(spark, contract(table), CASES[table]), table, frame(spark, contract(Deletions), GONE))
    assert rows.columns == list(contract(table).columns)
    key = contract(table).business_key[-1]
    return sorted((row[key], row["event_id"]) for row in rows.collect())


@pytest.mark.parametrize("table", CASES, ids=lambda table: table.__name__)
def test_the_newest_version_holds_unless_it_is_deleted(spark: SparkSession, table: type) -> None:
    assert held(spark, table) == WANTED[table]


def test_clickhouse_says_the_same(tmp_path: Path) -> None:
    filled = [inserted(contract(table), rows) for table, rows in {**CASES, Deletions: GONE}.items()]
    statements = [
        f"SELECT '{contract(table).name}', {contract(table).business_key[-1]}, event_id "
        f"FROM {contract(table).name}_latest"
        for table in CASES
    ]
    actual = answers(tmp_path, [*definitions(), *filled, *statements])

    assert sorted(map(tuple, actual)) == sorted(
        (contract(table).name, *pair) for table, pairs in WANTED.items() for pair in pairs
    )
