"""``--try``: exports of shops, tills, accounts and banks (tests/cases/exports), looked at as their owners would."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from conf import REPOSITORY
from ingestion.core.run import main
from ingestion.purchases.feed import PurchasesFile
from ingestion.purchases.mapping import FIELDS, Mapping, load_mapping

EXPORTS = Path(__file__).parents[2] / "cases" / "exports"


def tried(tmp_path: Path, name: str, *options: str) -> tuple[Result, Path]:
    shutil.copy(EXPORTS / name, tmp_path / name)
    result = CliRunner().invoke(main, ["purchases.file", str(tmp_path / name), "--try", *options])
    return result, tmp_path / f"{name.split('.')[0]}.mapping.toml"


def loaded(file: Path, mapping: Path) -> list[dict[str, Any]]:
    feed = PurchasesFile(file, lambda _: None, mapping=load_mapping(mapping))
    return [orjson.loads(message.value or b"") for message in feed.messages()]


def short(bodies: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (b["purchase_id"], b["purchased_at"], b["currency_code"], *((x["product_id"], x["quantity"], x["unit_price"])
         for x in b["lines"]))
        for b in bodies
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("shopify.csv", [], [
            ("#1001", "2025-11-20T04:29:51Z", "USD", ("MUG-B", 2, "10"), ("MUG-R", 1, "10")),
            ("#1003", "2025-11-20T05:30:00Z", "USD", ("MUG-B", 1, "10")),
        ]),
        ("square.csv", ["--currency", "USD"], [
            ("abc123", "2025-11-20T09:30:00Z", "USD", ("LAT", 2, "4.5")),
            ("abc124", "2025-11-20T09:35:12Z", "USD", ("MOC", 1, "4.5")),
            ("abc125", "2025-11-21T09:40:12Z", "USD", ("MOC", -1, "4.5")),
        ]),
        ("amazon.txt", [], [("302-1", "2025-11-20T09:30:00Z", "EUR", ("MUG-B", 1, "19.99"))]),
        ("1c_report.csv", [], [
            ("Реализация 0001", "2025-11-01T09:05:00Z", "KZT", ("000123", 10, "450"), ("000124", 5, "900")),
            ("Реализация 0002", "2025-11-02T19:05:00Z", "KZT", ("000123", 1_000, "450")),
        ]),
        ("kaspi_ru.csv", ["--currency", "KZT"], [
            ("488001234567", "2025-11-20T09:30:00Z", "KZT", ("10001", 1, "12990")),
            ("488001234569", "2025-11-20T11:30:00Z", "KZT", ("10002", 1, "15990")),
        ]),
        ("excel_ru.csv", [], [
            ("1", "2025-11-05T09:05:00Z", "RUB", ("А-1", 1, "45.5")),
            ("2", "2025-11-06T09:05:00Z", "RUB", ("А-2", 2, "1045.5")),
        ]),
        ("order_level.csv", ["--currency", "USD"], [("1001", "2025-11-20T00:00:00Z", "USD", ("order", 1, "35"))]),
        ("german_pos.csv", [], [
            ("1001", "2025-11-20T09:30:00Z", "EUR", ("Brötchen", 10, "0.45")),
            ("1002", "2025-11-20T09:35:00Z", "EUR", ("Käse", 1, "3.99")),
        ]),
        ("kk.csv", [], [
            ("1", "2025-11-20T10:00:00Z", "KZT", ("Шай", 2, "1500")),
            ("2", "2025-11-21T10:00:00Z", "KZT", ("Нан", 1, "200")),
        ]),
        ("us_ampm.csv", ["--currency", "USD"], [
            ("1", "2025-11-02T09:05:00Z", "USD", ("A1", 1, "4.5")),
            ("2", "2025-11-30T13:05:00Z", "USD", ("A1", 2, "4.5")),
        ]),
        ("excel_serial.csv", [], [
            ("1", "2025-11-20T09:30:00Z", "EUR", ("A", 1, "2.5")),
            ("2", "2025-11-21T12:00:00Z", "EUR", ("A", 2, "2.5")),
        ]),
        ("indian.csv", [], [("1", "2025-11-20T00:00:00Z", "INR", ("A1", 2, "100000"))]),
        ("bank.csv", [], [
            ("9981", "2025-11-20T00:00:00Z", "KZT", ("Оплата заказа 17", 1, "15000")),
            ("9982", "2025-11-21T00:00:00Z", "KZT", ("Возврат", -1, "2000")),
        ]),
        ("koi8.csv", [], [
            ("1", "2025-11-20T00:00:00Z", "KZT", ("Чайник электрический", 1, "2500.5")),
            ("2", "2025-11-20T00:00:00Z", "KZT", ("Утюг паровой", 1, "12500.5")),
        ]),
        ("zipped.zip", [], [("1", "2025-11-20T10:00:00Z", "GBP", ("A", 1, "2.5"))]),
        ("book.xlsx", [], [
            ("488001000001", "2025-11-20T09:30:15Z", "EUR", ("00123", 1_000, "19.99")),
            ("488001000002", "2025-11-20T09:29:59Z", "EUR", ("123", 2, "0.3")),
        ]),
        ("book.xls", [], [
            ("1", "2025-11-20T09:30:00Z", "KZT", ("A1", 2, "10237.65")),
            ("2", "2025-11-21T09:30:00Z", "KZT", ("A2", 1, "950.5")),
        ]),
        ("book.ods", [], [("O-1", "2025-11-20T09:30:00Z", "EUR", ("A1", 2, "10.5"))]),
    ],
)  # fmt: skip
def test_what_was_tried_loads_as_it_was_shown(
    tmp_path: Path, name: str, options: list[str], expected: list[Any]
) -> None:
    result, mapping = tried(tmp_path, name, *options)
    assert result.exit_code == 0, result.output
    assert f"./start.sh ingest purchases.file {tmp_path / name} --mapping {mapping}" in result.stdout
    assert "None would be refused." in result.stdout
    assert short(loaded(tmp_path / name, mapping)) == expected
    # A mapping's file names the seller by which later exports find the same purchases again.
    assert "seller_id" in mapping.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        ("ambig_dates.csv", ['Choose "%d/%m/%Y" or "%m/%d/%Y"']),
        ("thousands_only.csv", ['decimal_mark: 1.000 may be read in two ways. Choose "." or ","']),
        ("square.csv", ["currency_code: nothing in the file names the currency. Give it: --currency KZT"]),
    ],
)
def test_what_cannot_be_told_is_asked_for_and_cannot_be_loaded_before(
    tmp_path: Path, name: str, sentences: list[str]
) -> None:
    result, mapping = tried(tmp_path, name)
    assert result.exit_code == 2
    for sentence in sentences:
        assert sentence in result.stdout
    load = CliRunner().invoke(main, ["purchases.file", str(tmp_path / name), "--mapping", str(mapping)])
    assert load.exit_code == 2
    assert "The mapping" in load.stderr


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("html.xls", "is a web page or XML, whatever it is called: open it"),
        ("two.zip", "is a zip archive of 2 files (a.csv, b.csv): unpack it"),
    ],
)
def test_what_holds_no_rows_is_named(tmp_path: Path, name: str, sentence: str) -> None:
    result, mapping = tried(tmp_path, name)
    assert (result.exit_code, mapping.exists()) == (2, False)
    assert sentence in result.stderr


def test_a_mapping_that_is_there_is_left_unless_told(tmp_path: Path) -> None:
    mapping = tmp_path / "kk.mapping.toml"
    mapping.write_text("mine")
    result, _ = tried(tmp_path, "kk.csv")
    assert mapping.read_text() == "mine"
    assert "was left as it is: --overwrite replaces it" in result.stdout
    tried(tmp_path, "kk.csv", "--overwrite", "--seller", "alma")
    assert tomllib.loads(mapping.read_text("utf-8"))["constants"]["seller_id"] == "alma"
    other, _ = tried(tmp_path, "kk.csv", "--out", str(tmp_path / "other.toml"))
    assert other.exit_code == 0
    assert (tmp_path / "other.toml").exists()


def test_a_mapping_that_is_given_is_tried_as_it_is(tmp_path: Path) -> None:
    _, mapping = tried(tmp_path, "kk.csv")
    before = mapping.read_text("utf-8")
    result, _ = tried(tmp_path, "kk.csv", "--mapping", str(mapping))
    assert result.exit_code == 0
    assert "2 purchases with 2 rows would be sent." in result.stdout
    assert mapping.read_text("utf-8") == before


def test_every_key_of_a_mapping_is_documented_and_the_example_is_one(tmp_path: Path) -> None:
    text = (REPOSITORY / "docs" / "reference" / "mapping.md").read_text("utf-8")
    keys = {*Mapping.model_fields, *FIELDS} - {"columns", "constants", "skip"}
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []
    example = tmp_path / "example.toml"
    example.write_text(text.partition("```toml\n")[2].partition("```")[0], "utf-8")
    assert load_mapping(example).skip == {"Статус": ("Отменен",)}
