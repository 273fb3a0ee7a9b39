"""Files of products as pandas, polars, Spark and spreadsheets write them (tests/cases/products, and made here)."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.shop.check import Finding
from ingestion.shop.check_process import Dropped, check_file

CASES = Path(__file__).parents[2] / "cases" / "products"
AT = datetime(2025, 6, 1, 10, tzinfo=UTC)
DROPPED_AT = datetime(2026, 3, 1, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "product_id": "P1", "seller_id": "s", "name": "Tea", "price_amount": "12.50", "currency_code": "KZT",
}  # fmt: skip


def taken(file: Path, ready: Path, *, name: str = "", zone: str = "UTC") -> tuple[list[dict[str, Any]], list[Finding]]:
    read = check_file(Dropped(file, name or file.name, DROPPED_AT, 1 << 20, 1, ready, zone))
    if read.findings.by_rule:
        return [], read.findings.listed
    return pq.read_table(ready).to_pylist(), []


@pytest.mark.parametrize(
    ("file", "ids", "flags", "prices"),
    [
        ("a_int_ids", ["101", "102"], [True, False], ["19.99", "2000.5"]),
        ("b_int8_flag", ["b-0", "b-1"], [True, True], ["19.99", "2000.5"]),
        ("e_float32", ["e-0", "e-1"], [True, False], ["19.99", "2000.5"]),
        ("f_naive_ts", ["f-0", "f-1"], [True, False], ["19.99", "2000.5"]),
        ("g_spark_int96", ["g-0", "g-1"], [True, False], ["19.99", "2000.5"]),
        ("l_binary_strings", ["l-0", "l-1"], [True, False], ["19.99", "2000.5"]),
        ("p_date_changed", ["p-0", "p-1"], [True, False], ["19.99", "2000.5"]),
        ("s_control", ["s-0", "s-1"], [True, False], ["19.99", "2000.5"]),
    ],
)
def test_parquet_of_every_writer_is_read(
    tmp_path: Path, file: str, ids: list[str], flags: list[bool], prices: list[str]
) -> None:
    rows, findings = taken(CASES / f"{file}.parquet", tmp_path / "ready")
    assert findings == []
    rows = rows[:2]
    assert [row["product_id"] for row in rows] == ids
    assert [row["is_active"] for row in rows] == flags
    assert [row["price_amount"] for row in rows] == [Decimal(price) for price in prices]
    assert {row["name"] for row in rows} == {"Thing 0", "Thing 1"}
    assert {row["valid_from"] for row in rows} == {datetime(2025, 6, 1, tzinfo=UTC) if file[0] == "p" else AT}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("f_naive_ts", datetime(2025, 6, 1, 5, tzinfo=UTC)),
        # A DATE begins at midnight in the shop; what Spark writes as INT96 is an instant already.
        ("p_date_changed", datetime(2025, 5, 31, 19, tzinfo=UTC)),
        ("g_spark_int96", AT),
        ("s_control", AT),
    ],
)
def test_times_without_a_zone_are_the_shops(tmp_path: Path, file: str, expected: datetime) -> None:
    rows, _ = taken(CASES / f"{file}.parquet", tmp_path / "ready", zone="Asia/Almaty")
    assert {row["valid_from"] for row in rows} == {expected}


@pytest.mark.parametrize(
    ("file", "product_id", "name", "price"),
    [
        ("blank_last_line.csv", "E-5", "A", "19.90"),
        ("trailing_comma.csv", "E-6", "A", "19.90"),
        ("semicolon.csv", "E-1", "Чайник", "1990.50"),
        ("cp1251.csv", "E-1", "Чайник", "1990.50"),
    ],
)
def test_csv_of_every_program_is_read(tmp_path: Path, file: str, product_id: str, name: str, price: str) -> None:
    rows, findings = taken(CASES / file, tmp_path / "ready")
    assert findings == []
    ((actual),) = rows
    assert (actual["product_id"], actual["name"], actual["price_amount"]) == (product_id, name, Decimal(price))


def test_gz_is_read(tmp_path: Path) -> None:
    rows, findings = taken(CASES / "trailing.csv.gz", tmp_path / "ready")
    assert (len(rows), findings) == (1, [])


def test_a_field_twice_in_an_object_refuses_the_file(tmp_path: Path) -> None:
    _, (finding,) = taken(CASES / "dupkeys_only.jsonl", tmp_path / "ready")
    assert (finding.rule, finding.sentence) == ("file.json", "object 1 has the field 'price_amount' twice")


def table(tmp_path: Path, **columns: pa.Array) -> Path:
    file = tmp_path / "a.parquet"
    created = {name: pa.array([value]) for name, value in GOOD.items()} | columns
    pq.write_table(pa.table(created), file)
    return file


@pytest.mark.parametrize(
    ("column", "values", "read"),
    [
        ("product_id", pa.array([17.0]), "17"),
        ("product_id", pa.array([2**40], pa.uint64()), str(2**40)),
        ("product_id", pa.array([Decimal("17")], pa.decimal128(20, 0)), "17"),
        ("product_id", pa.array(["P1"]).dictionary_encode(), "P1"),
        ("product_id", pa.array([17]).dictionary_encode(), "17"),
        ("product_id", pa.array(["P1"], pa.large_string()), "P1"),
        ("product_id", pa.array([b"P1"], pa.large_binary()), "P1"),
        ("is_active", pa.array([0.0]), False),
        ("is_active", pa.array([1], pa.int64()), True),
        ("is_active", pa.array([None], pa.null()), True),
        ("price_amount", pa.array([19.99], pa.float32()), Decimal("19.99")),
        ("price_amount", pa.array([19.99]), Decimal("19.99")),
        ("price_amount", pa.array([5], pa.int16()), Decimal(5)),
        ("price_amount", pa.array([Decimal("19.990000")], pa.decimal128(20, 6)), Decimal("19.99")),
        ("price_amount", pa.array([9e6], pa.float32()), Decimal(9_000_000)),
        ("category_name", pa.array([float("nan")]), None),
        ("__index_level_0__", pa.array([7]), ...),
    ],
)
def test_what_is_without_loss_is_read(tmp_path: Path, column: str, values: pa.Array, read: object) -> None:
    rows, findings = taken(table(tmp_path, **{column: values}), tmp_path / "ready")
    assert findings == []
    assert read is ... or rows[0][column] == read


@pytest.mark.parametrize(
    ("column", "values", "sentence"),
    [
        ("product_id", pa.array([1.5]), "product_id must be a text that is not empty"),
        ("is_active", pa.array([2]), "is_active must be true or false"),
        ("price_amount", pa.array([19.98765]), "price_amount must be an amount"),
        ("price_amount", pa.array([float("nan")]), "price_amount is missing"),
        ("name", pa.array([b"\xd7\xe0\xe9"]), "the column name holds bytes that are no UTF-8"),
        ("name", pa.array([["Tea"]]), "the column name holds list<"),
        ("changed_at", pa.array([1_700_000_000]), "changed_at must be a time with its zone"),
    ],
)
def test_what_would_lose_something_is_refused(tmp_path: Path, column: str, values: pa.Array, sentence: str) -> None:
    _, findings = taken(table(tmp_path, **{column: values}), tmp_path / "ready")
    assert [finding.sentence[: len(sentence)] for finding in findings] == [sentence]


HEADER = "product_id;seller_id;name;price_amount;currency_code"


@pytest.mark.parametrize(
    ("body", "price"),
    [
        (f"sep=;\n{HEADER}\nP1;s;Tea;12,50;KZT\n", "12.5"),
        (f"Price list of 1 March\n\n{HEADER}\nP1;s;Tea;1 234,50 ₸;₸\n;;;;\n", "1234.5"),
        (f"{HEADER}\nP1;s;Tea;1.234;KZT\nP2;s;Tea;12,5;KZT\n", "1234"),
        (f"\ufeff{HEADER};\nP1;s;Tea;$1,234.50;USD;\n", "1234.5"),
    ],
)
def test_prices_as_people_write_them(tmp_path: Path, body: str, price: str) -> None:
    for encoding in ("utf-8", "utf-16"):
        file = tmp_path / f"{encoding}.csv"
        file.write_bytes(gzip.compress(body.encode(encoding)))
        rows, findings = taken(file, tmp_path / "ready")
        assert findings == []
        assert rows[0]["price_amount"] == Decimal(price)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("P1;s;Tea;1.234;KZT", "may be 1234 or 1.234, and no number of the file shows which; write all prices with"),
        ("P1;s;Tea;12,50 €;KZT", "it is in EUR, and currency_code is KZT"),
        ("4,60709E+12;s;Tea;12,50;KZT", "what a spreadsheet leaves of a long number"),
    ],
)
def test_what_is_in_doubt_is_refused_with_the_cure(tmp_path: Path, row: str, sentence: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"{HEADER}\n{row}\n")
    _, (finding,) = taken(file, tmp_path / "ready")
    assert sentence in finding.sentence


def test_days_of_csv_begin_in_the_shop(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"{HEADER};changed_at\nP1;s;Tea;1;KZT;01.06.2025\nP2;s;Tea;1;KZT;2025-06-01 10:00\n")
    rows, _ = taken(file, tmp_path / "ready", zone="Asia/Almaty")
    assert [row["valid_from"] for row in rows] == [
        datetime(2025, 5, 31, 19, tzinfo=UTC), datetime(2025, 6, 1, 5, tzinfo=UTC)
    ]  # fmt: skip
