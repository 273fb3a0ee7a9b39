"""Files of products: what is staged, what is refused and how that is told, and what a kill leaves."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.shop.bucket import StoredObject
from ingestion.shop.file_faults import FileRefused
from ingestion.shop.file_intake import ARCHIVE, INCOMING, REJECTED, FileIntake, Outcome
from ingestion.shop.files import check_name
from tests.ingestion.shop.folder import BEGAN, FolderBucket, Killed

GOOD = {"product_id": "P1", "seller_id": "s", "name": "Tea", "price_amount": "12.50", "currency_code": "KZT"}
HEADER = "product_id,seller_id,name,category_name,price_amount,currency_code,is_active,changed_at"


@pytest.fixture
def desk(tmp_path: Path) -> FileIntake:
    (tmp_path / "scratch").mkdir()
    return FileIntake(bucket(tmp_path), tmp_path / "scratch", 100_000)


def bucket(tmp_path: Path) -> FolderBucket:
    return FolderBucket(tmp_path / "bucket")


def drop(desk: FileIntake, name: str, body: bytes | str) -> None:
    desk.bucket.write(INCOMING + name, body if isinstance(body, bytes) else body.encode())


def take(desk: FileIntake) -> list[Outcome]:
    return [desk.take(file) for file in desk.waiting()]


def lines(*rows: dict[str, Any]) -> str:
    return "\n".join(json.dumps(row) for row in rows)


def parquet(tmp_path: Path, rows: list[dict[str, Any]], **columns: pa.DataType) -> bytes:
    file = tmp_path / "made.parquet"
    pq.write_table(pa.table({n: pa.array([r[n] for r in rows], columns.get(n)) for n in rows[0]}), file)
    return file.read_bytes()


def report(desk: FileIntake) -> dict[str, Any]:
    (name,) = (f.name for f in desk.bucket.list_objects(REJECTED) if f.name.endswith(".report.json"))
    output: dict[str, Any] = json.loads(desk.bucket.read(name) or b"")
    return output


def staged(desk: FileIntake) -> list[dict[str, Any]]:
    assert isinstance(desk.bucket, FolderBucket)
    return desk.bucket.staged("products")


def left(desk: FileIntake) -> list[str]:
    return [f.name for f in desk.bucket.list_objects(INCOMING)]


def test_every_kind_of_file_comes_to_the_same_rows(desk: FileIntake, tmp_path: Path) -> None:
    when = "2026-02-01T00:00:00+05:00"
    whole = GOOD | {"category_name": "food", "is_active": False, "changed_at": when}
    typed = whole | {"price_amount": Decimal("12.5000"), "changed_at": datetime.fromisoformat(when)}
    drop(desk, "a.csv", f"{HEADER}\nP1,s,Tea,food,12.50,KZT,false,{when}\n")
    drop(desk, "b.json", json.dumps([whole | {"price_amount": 12.5, "name": "Tea "}]))
    drop(desk, "c.jsonl", lines(whole | {"price_amount": 12.50, "name": "Tea  "}))
    drop(desk, "d.parquet", parquet(tmp_path, [typed | {"name": "Tea   "}], price_amount=pa.decimal128(18, 4)))

    assert [outcome.became for outcome in take(desk)] == ["staged"] * 4
    assert left(desk) == []
    rows = staged(desk)
    assert [row["source"] for row in rows] == ["a.csv", "b.json", "c.jsonl", "d.parquet"]
    for row in rows:
        assert row["price_amount"] == Decimal("12.5000")
        assert row["valid_from"] == datetime(2026, 1, 31, 19, tzinfo=UTC)
        assert (row["product_id"], row["category_name"], row["is_active"]) == ("P1", "food", False)
    assert len({row["content_hash"] for row in rows}) == 4


def test_what_a_file_does_not_say_is_the_time_of_its_drop_and_on_sale(desk: FileIntake) -> None:
    drop(desk, "a.jsonl", lines(GOOD))
    (file,) = desk.waiting()
    take(desk)
    (row,) = staged(desk)

    assert (row["valid_from"], row["is_active"], row["category_name"]) == (file.changed_at, True, None)


def test_equal_content_in_another_form_has_the_same_hash(desk: FileIntake) -> None:
    drop(desk, "a.jsonl", lines(GOOD))
    drop(desk, "b.csv", "product_id,seller_id,name,price_amount,currency_code,is_active\nP1,s,Tea,12.5,KZT,1\n")
    take(desk)
    first, second = staged(desk)

    assert first["content_hash"] == second["content_hash"]


def test_the_same_file_twice_changes_nothing(desk: FileIntake) -> None:
    for name in ("a.jsonl", "b.jsonl", "a.jsonl"):
        drop(desk, name, lines(GOOD))
        take(desk)

    assert len(staged(desk)) == 1
    assert left(desk) == []
    assert [f.name.partition("-")[2] for f in desk.bucket.list_objects(ARCHIVE)] == ["a.jsonl", "b.jsonl"]


@pytest.mark.parametrize(
    ("row", "column", "rule", "sentence", "actual"),
    [
        ({"price_amount": -5}, "price_amount", "price_amount.at_least", "price_amount must be at least 0", "'-5'"),
        ({"price_amount": 0.12345}, "price_amount", "price_amount.type",
         "price_amount must be an amount of at most 14 digits before and 4 after the point", "'0.12345'"),
        ({"price_amount": True}, "price_amount", "price_amount.type", "price_amount must be an amount", "'True'"),
        ({"price_amount": None}, "price_amount", "price_amount.required", "price_amount is missing", ""),
        ({"currency_code": "TENGE"}, "currency_code", "currency_code.one_of",
         "currency_code must be a currency code of ISO 4217 that Sauda knows", "'TENGE'"),
        ({"product_id": 17}, "product_id", "product_id.type", "product_id must be a text that is not empty", "'17'"),
        ({"product_id": "../P1"}, "product_id", "product_id.matches", "product_id must be 1 to 64 of", "'../P1'"),
        ({"name": "  "}, "name", "name.not_empty", "name must not be empty", "'  '"),
        ({"name": "a\0b"}, "name", "name.type", "name must be a text", "'a\\x00b'"),
        ({"is_active": "perhaps"}, "is_active", "is_active.type", "is_active must be true or false", "'perhaps'"),
        ({"changed_at": "2026-02-01T00:00:00"}, "changed_at", "changed_at.type",
         "changed_at must be a time with its zone, like 2026-01-31T09:30:00Z", "'2026-02-01T00:00:00'"),
        ({"changed_at": "2026-03-02T00:00:00Z"}, "changed_at", "changed_at.not_ahead_of",
         "changed_at must not be after the file was dropped", "'2026-03-02T00:00:00Z'"),
        ({"changed_at": "0001-01-01T00:00:00+14:00"}, "changed_at", "changed_at.type",
         "changed_at must be a time with its zone", "'0001-01-01T00:00:00+14:00'"),
        ({"changed_at": "1999-12-31T23:59:59Z"}, "changed_at", "changed_at.since",
         "changed_at must not be before 2000-01-01", "'1999-12-31T23:59:59Z'"),
        ({"price_amount": [1]}, "price_amount", "price_amount.type", "price_amount must be an amount", "'[1]'"),
        ({"prise": 1}, "prise", "column.unknown", "no such column is known", ""),
    ],
)  # fmt: skip
def test_a_bad_row_refuses_the_file_and_is_named(
    desk: FileIntake, row: dict[str, Any], column: str, rule: str, sentence: str, actual: str
) -> None:
    drop(desk, "bad.jsonl", lines(GOOD, GOOD | {"product_id": "P2"} | row, GOOD | {"product_id": "P3"}))
    (outcome,) = take(desk)

    assert outcome.became == "rejected"
    assert staged(desk) == []
    assert left(desk) == []
    output = report(desk)
    (finding,) = output["findings"]
    assert (finding["row"], finding["column"], finding["rule"]) == (2, column, rule)
    assert finding["sentence"].startswith(sentence)
    assert finding["found"] == actual
    assert (output["rows_read"], output["finding_count"], output["findings_by_rule"]) == (3, 1, {rule: 1})


def test_the_report_for_people_says_where_and_what(desk: FileIntake) -> None:
    drop(desk, "bad.csv", "product_id,seller_id,name,price_amount,currency_code\nP1,s,Tea,cheap,KZT\n")
    take(desk)
    (name,) = (f.name for f in desk.bucket.list_objects(REJECTED) if f.name.endswith(".txt"))
    text = (desk.bucket.read(name) or b"").decode()

    assert text.startswith("'bad.csv' was refused, whole: nothing of it was loaded. 1 rows were read, 1 findings.\n")
    assert "row 1, column price_amount: price_amount must be an amount of at most 14 digits" in text
    assert "; found 'cheap'" in text
    assert [f.name for f in desk.bucket.list_objects(REJECTED)] == [
        name.removesuffix(".report.txt"), name.replace(".txt", ".json"), name
    ]  # fmt: skip


def test_a_hundred_findings_are_listed_and_all_are_counted(desk: FileIntake) -> None:
    drop(desk, "bad.jsonl", lines(*(GOOD | {"product_id": f"P{n}", "price_amount": -1} for n in range(250))))
    take(desk)
    output = report(desk)

    assert (len(output["findings"]), output["finding_count"]) == (100, 250)


def test_a_product_twice_in_a_file_is_named_with_both_rows(desk: FileIntake) -> None:
    rows = [GOOD | {"product_id": f"P{n % 7}"} for n in range(9)]
    drop(desk, "bad.jsonl", lines(*rows))
    take(desk)

    assert [(f["row"], f["found"]) for f in report(desk)["findings"]] == [(8, "'P0'"), (9, "'P1'")]
    assert report(desk)["findings"][0]["sentence"].endswith("it is in row 1 too")


def test_a_products_history_may_be_in_one_file(desk: FileIntake) -> None:
    days = ("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z")
    drop(desk, "good.jsonl", lines(*(GOOD | {"changed_at": day, "price_amount": n} for n, day in enumerate(days, 1))))

    assert [o.became for o in take(desk)] == ["staged"]
    assert [row["price_amount"] for row in staged(desk)] == [1, 2]


@pytest.mark.parametrize(
    ("name", "body", "rule", "sentence"),
    [
        ("a.parquet", b"PAR1 and then nothing", "file.parquet", "the file is no whole Parquet file"),
        ("a.csv", HEADER.replace("price_amount,", "") + "\nP1,s,Tea,food,KZT,1,\n", "column.missing",
         "the file has no column price_amount; it has product_id, seller_id"),
        ("a.csv", "product_id,product_id\n1,2\n", "column.twice", "the column product_id stands twice"),
        ("a.csv", f"{HEADER}\nP1,s,Te", "file.csv", "line 2 has 3 cells, the header 8: is the end cut off?"),
        ("a.csv", f"{HEADER}\n", "file.empty", "the file has no rows"),
        ("a.csv", b"", "file.empty", "the file is empty"),
        ("a.csv", HEADER.encode() + b"\nP1,s,\xff\xfe", "file.utf8", "the file is not UTF-8"),
        ("a.json", '[{"product_id": "P1"', "file.json", "the file is not a JSON list"),
        ("a.json", "{}", "file.json", "the file is not a JSON list: it begins with '{'"),
        ("a.json", " []", "file.empty", "the file has no rows"),
        ("a.json", "", "file.empty", "the file is empty"),
        ("a.jsonl", "[1, 2]", "file.json", "the file is not JSON Lines of objects: element 1 is '[1, 2]'"),
        ("a.jsonl", "[" * 5_000, "file.json", "the file is not JSON Lines"),
        ("a.docx", b"PK", "file.ending", "the name must end in .parquet, .csv, .json, .jsonl, .ndjson"),
        ("sub/a.csv", f"{HEADER}\n", "file.name", "the name must be at most 150 letters"),
        (".a.csv", f"{HEADER}\n", "file.name", "the name must be"),
        ("a.csv", b"x" * 100_001, "file.size", "the file has 100,001 bytes; at most 100,000 are read, split it"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_and_the_others_go_on(
    desk: FileIntake, name: str, body: bytes | str, rule: str, sentence: str
) -> None:
    drop(desk, name, body)
    drop(desk, "zz good.jsonl", lines(GOOD))

    assert [outcome.became for outcome in take(desk)] == ["rejected", "staged"]
    assert len(staged(desk)) == 1
    finding = report(desk)["findings"][0]
    assert (finding["row"], finding["rule"]) == (0, rule)
    assert finding["sentence"].startswith(sentence)


def test_a_number_that_would_fill_the_memory_is_no_amount(desk: FileIntake) -> None:
    drop(desk, "a.jsonl", lines(GOOD).replace('"12.50"', "1e999999999"))
    take(desk)

    assert report(desk)["findings"][0]["rule"] == "price_amount.type"


def test_nanoseconds_of_parquet_are_cut_to_what_the_stage_keeps(desk: FileIntake, tmp_path: Path) -> None:
    rows = [GOOD | {"changed_at": 1_770_000_000_123_456_789}]
    drop(desk, "a.parquet", parquet(tmp_path, rows, changed_at=pa.timestamp("ns", "UTC")))
    take(desk)

    assert [row["valid_from"] for row in staged(desk)] == [datetime(2026, 2, 2, 2, 40, 0, 123456, UTC)]


def test_a_file_dropped_anew_while_it_is_read_is_not_lost(desk: FileIntake, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(desk, "a.jsonl", lines(GOOD))
    (file,) = desk.waiting()
    download = desk.bucket.download_same

    def and_dropped_anew(actual: StoredObject, target: Path) -> bool:
        is_same = download(actual, target)
        drop(desk, "a.jsonl", lines(GOOD | {"price_amount": "99"}))
        return is_same

    with monkeypatch.context() as patch:
        patch.setattr(desk.bucket, "download_same", and_dropped_anew)
        assert desk.take(file).became == "staged"
    assert left(desk) == [f"{INCOMING}a.jsonl"]
    assert [outcome.became for outcome in take(desk)] == ["staged"]
    assert [row["price_amount"] for row in staged(desk)] == [Decimal("12.5"), Decimal(99)]


def test_a_truncated_parquet_file_is_refused(desk: FileIntake, tmp_path: Path) -> None:
    drop(desk, "cut.parquet", parquet(tmp_path, [GOOD] * 100)[:-200])
    (outcome,) = take(desk)

    assert outcome.became == "rejected"
    assert report(desk)["findings"][0]["rule"] == "file.parquet"


def test_a_file_replaced_before_it_is_read_waits_for_the_next_run_whose_rules_it_meets_anew(desk: FileIntake) -> None:
    drop(desk, "a.jsonl", lines(GOOD))
    (file,) = desk.waiting()
    drop(desk, "a.jsonl", b"x" * 100_001)

    assert desk.take(file).became == "replaced"
    assert left(desk) == [f"{INCOMING}a.jsonl"]
    (outcome,) = take(desk)
    assert (outcome.became, report(desk)["findings"][0]["rule"]) == ("rejected", "file.size")


def test_a_key_that_the_client_does_not_take_is_reported_and_the_others_go_on(
    desk: FileIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As MinIO's client does with a key that has a folder called . or .. in it."""

    def refused(source: str, target: str) -> None:
        raise ValueError(f"object name {source} is not supported, nor is {target}")

    drop(desk, "sub/a.csv", f"{HEADER}\n")
    drop(desk, "zz good.jsonl", lines(GOOD))
    monkeypatch.setattr(desk.bucket, "copy", refused)

    assert [outcome.became for outcome in take(desk)] == ["rejected", "staged"]
    assert report(desk)["findings"][0]["rule"] == "file.name"


def test_what_was_kept_long_enough_goes_and_the_same_content_is_known_all_the_same(desk: FileIntake) -> None:
    assert isinstance(desk.bucket, FolderBucket)
    drop(desk, "good.jsonl", lines(GOOD))
    drop(desk, "bad.jsonl", lines(GOOD | {"price_amount": -1}))
    take(desk)
    kept = desk.bucket.names()
    assert desk.forget(BEGAN) == 0
    assert desk.bucket.names() == kept

    # The refused file, its two reports, and the content of the other.
    assert desk.forget(BEGAN + timedelta(days=1)) == 4
    assert [(f.name.partition("-")[2], f.size) for f in desk.bucket.list_objects(ARCHIVE)] == [("good.jsonl", 0)]
    assert desk.bucket.names(REJECTED) == []
    assert desk.forget(BEGAN + timedelta(days=1)) == 0
    drop(desk, "again.jsonl", lines(GOOD))
    assert [outcome.became for outcome in take(desk)] == ["seen"]


@pytest.mark.parametrize(
    "name", ["../../silver/x.csv", "..csv", "a/b.csv", "a\\b.csv", "a\n.csv", "", "a" * 160 + ".csv"]
)
def test_a_name_that_is_more_than_a_name_is_refused(name: str) -> None:
    with pytest.raises(FileRefused):
        check_name(name)


@pytest.mark.parametrize("body", [lines(GOOD), lines(GOOD | {"price_amount": -1})], ids=["sound", "bad"])
def test_killed_between_any_two_steps_a_file_comes_to_one_end(tmp_path: Path, body: str) -> None:
    ends = set()
    for steps in range(12):
        (tmp_path / str(steps) / "scratch").mkdir(parents=True)
        created = FolderBucket(tmp_path / str(steps) / "bucket")
        desk = FileIntake(created, tmp_path / str(steps) / "scratch", 100_000)
        drop(desk, "a.jsonl", body)
        created.left = steps
        try:
            take(desk)
            done = True
        except Killed:
            done = False
        created.left = 10**9
        take(desk)
        end = tuple(name for name in created.names() if not name.endswith("state.json"))
        ends.add((end, tuple((r["product_id"], r["run_no"]) for r in staged(desk))))
    assert done
    assert len(ends) == 1
