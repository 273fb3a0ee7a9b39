"""How far the two sides are compared; the comparison itself is asked of the real parts in tests/services."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from jobs.core.compare import StreamTable, compared_tables
from schemas.contract import contract, tables
from schemas.purchases.events import PurchasesRefused
from schemas.purchases.silver import PurchaseCorrections, PurchaseLines

SILVER, QUARANTINE, CORRECTIONS = map(contract, (PurchaseLines, PurchasesRefused, PurchaseCorrections))
NAMES = {"silver": SILVER.name, "corrections": CORRECTIONS.name}


@dataclass
class Answer:
    result_rows: list[Any]


@dataclass
class FakeLake:
    """Tables with a last batch each; notes in which order versions were pinned."""

    batches: dict[str, int | None]
    pinned: list[str] = field(default_factory=list)

    def version(self, name: str) -> int | None:
        self.pinned.append(name)
        return 3 if name in self.batches else None

    def url(self, name: str) -> str:
        return name


@dataclass
class FakeClient:
    """Answers what `StreamTable` asks of the fake lake; bronze has ten events a batch in each of two partitions."""

    lake: FakeLake
    lake_days: list[Any] = field(default_factory=list)
    served_days: list[Any] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)

    def query(self, sql: str) -> Answer:
        self.statements.append(sql)
        (name,) = re.findall(r"url = '([^']+)'", sql) or [""]
        if "max(batch_id)" in sql:
            last = self.lake.batches[name]
            return Answer([(0, 0) if last is None else (5, last)])
        if "max(kafka_offset)" in sql:
            upto = int(re.findall(r"batch_id <= (-?\d+)", sql)[0])
            return Answer([(1, upto * 10 + 8), (0, upto * 10 + 9)] if upto >= 0 else [])
        return Answer(self.lake_days if name else self.served_days)


def table(which: Any, **batches: int | None) -> tuple[StreamTable, FakeClient]:
    lake = FakeLake({NAMES.get(layer, f"{layer}.purchases"): n for layer, n in batches.items()})
    client = FakeClient(lake)
    return StreamTable(which, lake, client), client  # type: ignore[arg-type]


def test_silver_is_whole_up_to_its_own_last_batch() -> None:
    silver, client = table(SILVER, bronze=7, silver=6)

    assert silver.reached == "kafka_offset <= transform(kafka_partition, [0, 1], [69, 68], toInt64(-1))"
    assert client.lake.pinned == [SILVER.name, "bronze.purchases"]


@pytest.mark.parametrize(
    ("silver", "quarantine", "batch"), [(6, 2, 5), (6, 6, 6), (6, None, 5), (None, 4, 4), (0, 0, 0)]
)  # fmt: skip
def test_quarantine_is_whole_up_to_its_last_batch_or_the_one_before_silvers(
    silver: int | None, quarantine: int | None, batch: int
) -> None:
    refused, client = table(QUARANTINE, bronze=7, silver=silver, quarantine=quarantine)

    assert f"[{batch * 10 + 9}, {batch * 10 + 8}]" in refused.reached
    assert client.lake.pinned == [SILVER.name, QUARANTINE.name, "bronze.purchases"]


def test_a_correction_is_compared_when_the_lake_has_come_to_both_of_its_events() -> None:
    corrections, client = table(CORRECTIONS, bronze=7, silver=6, corrections=2)

    assert corrections.reached == (
        "kafka_offset <= transform(kafka_partition, [0, 1], [59, 58], toInt64(-1)) AND "
        "superseded_by_offset <= transform(superseded_by_partition, [0, 1], [59, 58], toInt64(-1))"
    )
    assert client.lake.pinned == [SILVER.name, CORRECTIONS.name, "bronze.purchases"]
    corrections.compare()
    assert "ORDER BY arrival DESC LIMIT 1 BY event_id, seller_id, purchase_id) GROUP BY day" in client.statements[-1]


@pytest.mark.parametrize("batches", [{}, {"bronze": 1}, {"bronze": 1, "silver": None}])
def test_a_lake_that_has_not_come_anywhere_is_compared_with_nothing(batches: dict[str, int | None]) -> None:
    assert table(SILVER, **batches)[0].reached == "0"


def test_days_that_differ_or_are_on_one_side_only_are_found() -> None:
    silver, client = table(SILVER, bronze=1, silver=1)
    one, two, three = (date(2026, 1, n) for n in (1, 2, 3))
    money = (Decimal(2), Decimal("9.5"))
    client.lake_days = [(one, 5, 11, 12, *money), (two, 6, 21, 22, *money)]
    client.served_days = [(one, 5, 11, 12, *money), (two, 6, 21, 23, *money), (three, 1, 31, 32, *money)]
    actual = silver.compare()

    assert (actual.days_compared, actual.days, actual.is_equal) == (3, (two, three), False)
    assert (actual.total.lake_rows, actual.total.clickhouse_rows) == (11, 12)
    assert actual.total.money["line_amount"] == (Decimal(19), Decimal("28.5"))
    lake, served = client.statements[-1], client.statements[-2]
    assert "FROM silver.purchase_lines FINAL PREWHERE kafka_offset <= " in served
    assert served.endswith("SETTINGS apply_prewhere_after_final = 0")
    assert lake.endswith("SETTINGS delta_lake_snapshot_version = 3")


def test_refused_events_are_compared_by_their_day_of_arrival_and_topic() -> None:
    refused, client = table(QUARANTINE, bronze=1, silver=1, quarantine=1)
    refused.compare()

    assert "FROM ops.quarantine FINAL" in client.statements[-2]
    assert "WHERE kafka_topic = 'purchases'" in client.statements[-2]
    assert "toDate32(ingested_at, 'UTC') AS day" in client.statements[-2]


def test_everything_that_both_sides_hold_is_compared() -> None:
    lake = FakeLake({})
    names = {t.contract.name for t in compared_tables(lake, FakeClient(lake))}  # type: ignore[arg-type]

    both = {t.name for t in tables() if t.delta and t.clickhouse is not None}
    assert names == both | {t.name for t in tables("quarantine")}
