from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ingestion.core.errors import Unreadable
from ingestion.files.csv_rows import CsvFile


def rows(path: Path, encoding: str = "utf-8") -> list[tuple[int, int, list[str], bool]]:
    return [tuple(row) for row in CsvFile(path, encoding).rows()]  # type: ignore[misc]


def write(folder: Path, data: bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_rows_know_their_physical_lines(tmp_path: Path) -> None:
    path = write(tmp_path, b'a,b\r\n1,"two\nlines"\n\n2,"x, ""y"""')
    assert rows(path) == [
        (1, 1, ["a", "b"], False), (2, 3, ["1", "two\nlines"], False), (5, 5, ["2", 'x, "y"'], False),
    ]  # fmt: skip


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert rows(write(tmp_path, b"\xef\xbb\xbfa,b\n")) == [(1, 1, ["a", "b"], False)]


def test_gz_is_known_by_its_bytes(tmp_path: Path) -> None:
    assert rows(write(tmp_path, gzip.compress(b"a,b\n1,2\n"), "plain.csv"))[1] == (2, 2, ["1", "2"], False)


@pytest.mark.parametrize("broken", ['2,"7" FRAME"', '2,"never closed'])
def test_broken_quotes_cost_one_row_and_swallow_none(tmp_path: Path, broken: str) -> None:
    text = f'a,b\n1,x\n{broken}\n3,"y"\n4,"z\nz"\n'
    actual = rows(write(tmp_path, text.encode()))
    assert [(first, last, is_broken) for first, last, _, is_broken in actual] == [
        (1, 1, False), (2, 2, False), (3, 3, True), (4, 4, False), (5, 6, False),
    ]  # fmt: skip
    assert actual[2][2][0] == "2"
    assert actual[4][2] == ["4", "z\nz"]


def test_two_rows_that_each_open_a_quote_do_not_make_one(tmp_path: Path) -> None:
    actual = rows(write(tmp_path, b'a,b,c\n1,"x,1\n2,y,2\n3,"z,3\n'))
    assert [first for first, *_ in actual] == [1, 2, 3, 4]


def test_wrong_encoding_names_line_byte_and_remedy(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,чай\n".encode("windows-1251"))
    with pytest.raises(Unreadable) as refusal:
        rows(path)
    # "a,b\n" is 4 bytes, "1," two more.
    assert str(refusal.value).startswith("a.csv is not utf-8: line 2, byte 6 (0xf7")
    assert "--encoding windows-1251" in str(refusal.value)
    assert rows(path, "windows-1251")[1][2] == ["1", "чай"]


def test_the_place_of_a_wrong_byte_is_right_far_into_a_packed_file(tmp_path: Path) -> None:
    good = "1,чай\n".encode() * 200_000
    path = write(tmp_path, gzip.compress(good + b"2,\xff\n", 1))
    with pytest.raises(Unreadable, match=rf"line 200,001, byte {len(good) + 2:,} of the unpacked text \(0xff"):
        rows(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (gzip.compress(b"a,b\n" * 5_000, mtime=0)[:-20], "is cut off: its gz data ends before its end mark, after"),
        (gzip.compress(b"a,b\n" * 5_000, mtime=0)[:-8] + b"\x01" * 8, "is damaged: CRC check failed"),
        (b"PK\x03\x04rest", "is a zip archive or an Excel workbook"),
    ],
    ids=["empty", "cut off", "damaged", "zip"],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(Unreadable, match=message):
        rows(write(tmp_path, data))


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"There is no file .*none\.csv"):
        rows(tmp_path / "none.csv")
    with pytest.raises(Unreadable, match="is a folder; a CSV file was expected"):
        rows(tmp_path)
