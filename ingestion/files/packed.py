"""A file's bytes, whatever they are packed in; told from the bytes and not from the name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path
from typing import BinaryIO, cast

from ingestion.core.errors import Unreadable

GZIP, ZIP, OLE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OTHERS = {
    b"\x28\xb5\x2f\xfd": "compressed with zstd: unpack it first",
    b"PAR1": "a Parquet file; a file of rows in text or a workbook was expected",
    b"7z\xbc\xaf": "a 7z archive: unpack it first",
    b"Rar!": "a rar archive: unpack it first",
    b"%PDF": "a PDF: export the rows as CSV or as a workbook",
    b"SQLite format 3": "a SQLite database: export the rows as CSV",
}
MARKUP = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<head", b"<meta", b"<style")
WORKBOOK_PARTS = ("xl/", "[Content_Types].xml", "content.xml")
Packed = io.BufferedReader
"""All that is done with it is read, read1 and lines."""


def start_of(path: Path) -> bytes:
    """The first bytes. Raises Unreadable where there is no file, or none with bytes."""
    name = path.name
    if not path.exists():
        raise Unreadable(f"There is no file {path}.")
    if path.is_dir():
        raise Unreadable(f"{path} is a folder; a CSV file was expected.")
    with path.open("rb") as file:
        start = file.read(16)
    if not start:
        raise Unreadable(f"{name} is empty.")
    return start


def is_workbook(path: Path) -> bool:
    """Whether it is .xls, .xlsx or .ods, by its bytes."""
    start = start_of(path)
    if start.startswith(OLE):
        return True
    if not start.startswith(ZIP):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith(WORKBOOK_PARTS) for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def unpacked(path: Path, name: str) -> Packed:
    """Open it for reading; of a zip archive its one file. Raises Unreadable for what holds no text."""
    start = start_of(path)
    for magic, what in OTHERS.items():
        if start.startswith(magic):
            raise Unreadable(f"{name} is {what}.")
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(MARKUP):
        raise Unreadable(
            f"{name} is a web page or XML, whatever it is called: open it in a spreadsheet, save it as .xlsx or CSV."
        )
    if start.startswith(GZIP):
        return cast(Packed, gzip.open(path, "rb"))
    if start.startswith(b"BZh"):
        return cast(Packed, bz2.open(path, "rb"))
    if start.startswith(b"\xfd7zXZ\x00"):
        return cast(Packed, lzma.open(path, "rb"))
    if start.startswith(ZIP):
        return _only_member(path, name)
    return path.open("rb")


def _only_member(path: Path, name: str) -> Packed:
    try:
        archive = zipfile.ZipFile(path)
        members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
    except zipfile.BadZipFile:
        raise Unreadable(
            f"{name} is a zip archive or an Excel workbook, and cut off or damaged. Copy or download it again."
        ) from None
    if len(members) != 1:
        there = ", ".join(m.filename for m in members[:5]) or "nothing"
        raise Unreadable(f"{name} is a zip archive of {len(members)} files ({there}): unpack it, and give one of them.")
    if members[0].flag_bits & 1:
        raise Unreadable(f"{name} is a zip archive with a password: unpack it first.")
    try:
        return io.BufferedReader(cast(io.RawIOBase, cast(BinaryIO, archive.open(members[0]))))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as problem:
        raise Unreadable(f"{name} is a zip archive that cannot be unpacked: {problem}. Copy it again.") from None
