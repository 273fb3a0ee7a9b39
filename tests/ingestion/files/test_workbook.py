from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from ingestion.core.errors import Unreadable
from ingestion.files.csv_rows import CsvFile
from ingestion.files.packed import is_workbook
from ingestion.files.workbook import WorkbookFile, cell_text, shown_cell

EXPORTS = Path(__file__).parents[2] / "cases" / "exports"


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        (488001000001.0, "488001000001", "488001000001"), (19.99, "1999E-2", "19.99"), (0.1 + 0.2, "3E-1", "0.3"),
        (-0.05, "-5E-2", "-0.05"), (-0.0, "0", "0"), (1e15, "1000000000000000", "1000000000000000"),
        (True, "TRUE", "TRUE"), ("x", "x", "x"), (None, "", ""),
        (datetime(2025, 11, 20, 9, 30), "2025-11-20T09:30:00", "2025-11-20T09:30:00"),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_a_cell_is_a_text_of_one_meaning(value: object, text: str, shown: str) -> None:
    assert (cell_text(value), shown_cell(text)) == (text, shown)


def test_rows_know_the_lines_that_the_program_shows() -> None:
    rows = list(WorkbookFile(EXPORTS / "book.xlsx").rows())
    assert [row.first for row in rows] == [1, 3, 4, 5, 6]
    assert rows[1].cells[:2] == ["Order No", "Date"]
    with pytest.raises(Unreadable, match=r"has no sheet 'Lager'; it has 'Orders', 'Empty'"):
        list(WorkbookFile(EXPORTS / "book.xlsx", "Lager").rows())


@pytest.mark.parametrize("name", ["book.xls", "book.ods"])
def test_a_workbook_that_is_cut_off_is_a_sentence(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    data = (EXPORTS / name).read_bytes()
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(Unreadable):
        list((WorkbookFile(file) if is_workbook(file) else CsvFile(file)).rows())


def test_packed_data_that_is_damaged_is_a_sentence_wherever_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "orders.zip"
    data = bytearray((EXPORTS / "zipped.zip").read_bytes())
    at = data.index(b"order_id") if b"order_id" in data else 60
    data[at] ^= 0xFF
    file.write_bytes(bytes(data))
    with pytest.raises(Unreadable, match=r"is damaged|cannot be unpacked"):
        CsvFile(file).look_whole()
