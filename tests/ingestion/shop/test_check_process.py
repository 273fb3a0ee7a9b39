"""Files that would take the memory of whoever reads them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.shop import check_process
from ingestion.shop.check import Findings
from ingestion.shop.check_process import CheckedFile, CheckProcess, Dropped, check_file

GOOD = {"product_id": "P1", "seller_id": "s", "name": "Tea", "price_amount": "12.50", "currency_code": "KZT"}
ROWS = 20_000
MB = 1 << 20


@pytest.fixture
def dropped(tmp_path: Path) -> Dropped:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Dropped(tmp_path / "dropped", "a.parquet", at, 512 * MB, 1, tmp_path / "ready.parquet")


def bomb(file: Path, text: str) -> int:
    """Rows of which each has the same text, which the file holds once. Returns the file's size."""
    columns = {name: pa.array([value] * ROWS) for name, value in GOOD.items()}
    columns["product_id"] = pa.array([f"P{n}" for n in range(ROWS)])
    columns["name"] = pa.DictionaryArray.from_arrays(pa.array([0] * (ROWS - 1) + [1], pa.int32()), ["Tea", text])
    columns["category_name"] = pa.DictionaryArray.from_arrays(pa.array([0] * ROWS, pa.int32()), [text])
    pq.write_table(pa.table(columns), file, compression="zstd", row_group_size=ROWS)
    return file.stat().st_size


def test_a_column_that_stands_for_gigabytes_is_refused_by_its_longest_text(dropped: Dropped) -> None:
    assert bomb(dropped.file, "x" * 80_000) < MB
    before = pa.total_allocated_bytes()
    actual = check_file(dropped)

    (finding,) = actual.findings.listed
    assert (finding.rule, actual.rows) == ("file.size", 0)
    assert finding.sentence == "row 1, column category_name: a text has more than 16,384 bytes"
    assert pa.total_allocated_bytes() - before < 20 * MB


def test_the_row_with_the_long_text_is_counted_over_batches(dropped: Dropped) -> None:
    rows = [GOOD | {"product_id": f"P{n}"} for n in range(6_000)] + [GOOD | {"name": "x" * 20_000}]
    pq.write_table(pa.Table.from_pylist(rows), dropped.file)

    assert [f.sentence.partition(":")[0] for f in check_file(dropped).findings.listed] == ["row 6,001, column name"]


def test_a_text_longer_than_the_contract_is_still_named_by_its_rule(dropped: Dropped) -> None:
    pq.write_table(pa.Table.from_pylist([GOOD | {"name": "x" * 1_001}, GOOD | {"name": None}]), dropped.file)

    assert [(f.row, f.rule) for f in check_file(dropped).findings.listed] == [
        (1, "name.max_length"),
        (2, "name.required"),
    ]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_an_object_that_does_not_end_is_refused_before_it_is_held(dropped: Dropped, name: str) -> None:
    with dropped.file.open("w") as out:
        out.write("[" * name.endswith("json") + json.dumps(GOOD) + "," * name.endswith("json"))
        out.write('{"name": "')
        for _ in range(30):
            out.write("x" * MB)
        out.write('"}')
    actual = check_file(replace(dropped, name=name))

    (finding,) = actual.findings.listed
    assert (finding.rule, finding.sentence) == ("file.size", "an object has more than 4,194,304 bytes")


def test_many_small_objects_are_not_taken_for_one(dropped: Dropped) -> None:
    lines = replace(dropped, name="a.jsonl")
    with lines.file.open("w") as out:
        for number in range(6_000):
            out.write(json.dumps(GOOD | {"product_id": f"P{number}", "name": "x" * 1_000}) + "\n")

    assert lines.file.stat().st_size > 6 * MB
    assert check_file(lines) == CheckedFile(6_000, Findings())


def test_a_file_that_needs_more_memory_than_it_may_have_is_refused_and_we_live(dropped: Dropped) -> None:
    nested = pa.StructArray.from_arrays(
        [pa.DictionaryArray.from_arrays(pa.array([0] * ROWS, pa.int32()), ["x" * 400_000])], ["text"]
    )
    pq.write_table(pa.table({"more": nested}), dropped.file, compression="zstd", store_schema=False)
    assert dropped.file.stat().st_size < MB
    actual = CheckProcess(700 * MB)(dropped)

    (finding,) = actual.findings.listed
    assert finding.rule == "file.unreadable"
    assert finding.sentence.startswith("the file cannot be read within 700 MB of memory")


def test_a_sound_file_comes_to_the_same_end_in_a_process_of_its_own(dropped: Dropped) -> None:
    rows = [GOOD | {"product_id": f"P{n}"} for n in range(3)]
    lines = replace(dropped, name="a.jsonl")
    lines.file.write_text("\n".join(map(json.dumps, rows)))
    here = check_file(lines)
    sound = pq.read_table(lines.ready)
    # As little as the file above does not come by with.
    apart = CheckProcess(700 * MB)(lines)

    assert (apart, apart.rows) == (here, 3)
    assert pq.read_table(lines.ready).equals(sound)


def test_a_reader_that_dies_is_a_finding(dropped: Dropped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_process, "_child", _dying)
    actual = CheckProcess(2_048 * MB)(dropped)

    assert "its reader ended with -6" in actual.findings.listed[0].sentence


def _dying(answer: object, dropped: Dropped, most_memory: int) -> None:  # noqa: ARG001
    os.abort()
