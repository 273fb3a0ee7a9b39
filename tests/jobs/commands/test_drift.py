"""Fields that registers send and nobody knows, and those they no longer send."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import deltalake
import orjson
import pyarrow as pa
import pytest

from jobs.commands.drift import Drift, FieldStats, drift_query, field_stats, main, since
from jobs.commands.drift import drifts as drifts_of
from jobs.procurement.known_fields import CATALOG
from schemas.procurement.endpoints import by_name
from tests.support.clickhouse import answers
from tests.support.commands import exit_code

DAY = date(2026, 2, 1)
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
PLANS = by_name()["plans"]
"""A register of five fields: pid bin name_ru name_kz doc_count."""
RECORDS = pa.schema(
    [
        ("event_id", pa.string()), ("ingested_at", pa.timestamp("us", "UTC")), ("value", pa.binary()),
        ("event_type", pa.string()),
        ("headers", pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))),
    ]
)  # fmt: skip


def record(event_id: str, value: bytes | None, at: datetime = NOON, kind: str = "plans_customer") -> dict[str, Any]:
    headers = [
        {"key": "ce_id", "value": event_id.encode()},
        {"key": "ce_type", "value": f"kz.goszakup.{kind}".encode()},
    ]
    return {"event_id": event_id, "ingested_at": at, "value": value, "headers": headers,
            "event_type": f"kz.goszakup.{kind}"}  # fmt: skip


def row(**changed: Any) -> bytes:
    whole = {"pid": 7, "bin": "000140001536", "name_ru": "a", "name_kz": None, "doc_count": 1}
    return orjson.dumps({name: value for name, value in (whole | changed).items() if value is not ...})


def stats_of(folder: Path, records: Iterable[dict[str, Any]]) -> list[FieldStats]:
    """What ClickHouse says of a bronze table with these records."""
    bronze = folder / "bronze"
    deltalake.write_deltalake(bronze, pa.Table.from_pylist(list(records), RECORDS))
    return [
        field_stats(answer) for answer in answers(folder, [drift_query(CATALOG, f"deltaLakeLocal('{bronze}')", DAY)])
    ]


def drifts(fields: Iterable[FieldStats]) -> list[Drift]:
    return drifts_of(CATALOG, fields)


def facts_of(drift: Drift) -> tuple[str, str, str, int]:
    return drift.register_name, drift.drift_code, drift.field_name, drift.row_count


def test_fields_of_a_day_are_compared_with_those_that_are_known(tmp_path: Path) -> None:
    midnight = datetime(2026, 2, 1, tzinfo=UTC)
    drifted = drifts(
        stats_of(
            tmp_path,
            [
                record("a:plans:1:x", row(colour="red", name_kz=...), midnight),
                record("a:plans:2:x", row(colour={"of": 1}, name_kz=...)),
                record("a:plans:3:x", row(name_kz=...)),
                # Another collection, the days beside, pages that cannot be read, rows that no register sent.
                record("b:plans:1:x", row()),
                record("a:plans:4:x", row(taste=1), midnight - timedelta(microseconds=1)),
                record("a:plans:5:x", row(taste=1), midnight + timedelta(days=1)),
                record("a:plans:6:x", b"<html>"),
                record("a:plans:7:x", None),
                record("a:party:8:x", row(taste=1), kind="../ocds.party"),
                record("nothing", row(taste=1)),
            ],
        )
    )

    assert [facts_of(drift) for drift in drifted] == [
        ("plans", "unknown", "colour", 2),
        ("plans", "missing", "name_kz", 3),
    ]
    assert {drift.collection_code for drift in drifted} == {"a"}
    colour = drifted[0]
    assert (colour.value_types, colour.first_seen_at, colour.example_id) == ("object, text", midnight, "a:plans:1:x")
    assert str(colour) == (
        "a, plans has an unknown field colour (object, text) in 2 rows, since 2026-02-01 00:00, for example a:plans:1:x"
    )


def test_registers_that_share_an_event_type_are_told_apart(tmp_path: Path) -> None:
    """A subject by its BIN has its addresses in it, a subject of the list has not."""
    fields = by_name()["subject_biin"].fields
    whole = orjson.dumps(dict.fromkeys(fields, 1))
    both = stats_of(
        tmp_path, [record(f"a:{name}:1:x", whole, kind="subject") for name in ("subject_biin", "subject_all")]
    )

    surplus = sorted(set(fields) - by_name()["subject_all"].known_fields)
    assert [facts_of(drift) for drift in drifts(both)] == [("subject_all", "unknown", field, 1) for field in surplus]
    assert "address" in surplus


def field(name: str, rows: int = 3) -> FieldStats:
    return FieldStats("a", "plans", "kz.goszakup.plans_customer", name, rows, "text", NOON, "a:plans:1:x")


def test_as_long_as_all_fields_come_nothing_drifts() -> None:
    assert drifts([field(""), *map(field, PLANS.fields)]) == []


def test_a_field_that_only_some_rows_lack_is_not_missing() -> None:
    assert drifts([field(""), *(field(name, 1) for name in PLANS.fields)]) == []


def test_a_drift_keeps_the_time_of_its_first_report() -> None:
    (drift,) = drifts([field(""), field("new"), *map(field, PLANS.fields)])
    before = datetime(2026, 1, 3, tzinfo=UTC)

    assert since(drift, {drift.mark: before}).first_seen_at == before
    assert since(drift, {("a", "plans", "new", "missing"): before}).first_seen_at == NOON


@pytest.mark.parametrize("text", ["2026-13-01", "yesterday"])
def test_what_is_no_day_is_the_callers_mistake(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(main, ["--day", text]) == 2
    assert capsys.readouterr().err == f"{text!r} is no day; write it like 2026-03-01\n"


def test_a_domain_without_a_catalog_is_the_callers_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(main, ["--domain", "weather"]) == 2
    assert "there are: procurement" in capsys.readouterr().err
