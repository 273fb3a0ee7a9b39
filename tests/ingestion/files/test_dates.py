from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingestion.files.dates import dates
from ingestion.files.instants import moment

AT = datetime(2025, 12, 31, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("texts", "formats"),
    [
        (["31.12.2025 14:05"], ("%d.%m.%Y %H:%M",)),
        (["31.12.25 14:05:00"], ("%d.%m.%y %H:%M:%S",)),
        (["2025/12/31 14:05"], ("%Y/%m/%d %H:%M",)),
        (["12/31/25 2:05 PM", "01/02/25 9:00 AM"], ("%m/%d/%y %I:%M %p",)),
        (["31/12/2025 14:05", "01/02/2025 09:00"], ("%d/%m/%Y %H:%M",)),
        (["31-12-2025, 14:05"], ("%d-%m-%Y, %H:%M",)),
        (["2025-12-31 14:05"], ("iso",)),
        (["2025-12-31T14:05:00Z"], ("iso",)),
        (["2025-12-31 14:05:00 +0000"], ("iso",)),
        (["31-Dec-2025 14:05"], ("%d-%b-%Y %H:%M",)),
        (["Dec 31, 2025 2:05 PM"], ("%b %d, %Y %I:%M %p",)),
        (["46022.5868055556"], ("excel",)),
    ],
)
def test_formats_are_told_from_the_whole_column(texts: list[str], formats: tuple[str, ...]) -> None:
    actual = dates(texts)
    assert (actual.formats, actual.choices) == (formats, ())
    assert moment(texts[0], actual.formats, "UTC") == AT


def test_days_and_months_that_cannot_be_told_apart_are_asked_for() -> None:
    actual = dates(["01/02/2025", "03/04/2025"])
    assert (actual.formats, actual.choices) == ((), ("%d/%m/%Y", "%m/%d/%Y"))
    # A file that is both proves neither.
    assert dates(["31/12/2025", "12/31/2025"]).formats == ()


def test_two_formats_of_one_column_are_both_there() -> None:
    assert dates(["20.11.2025 09:30", "20.11.2025 10:30", "21.11.2025"]).formats == ("%d.%m.%Y %H:%M", "%d.%m.%Y")


@pytest.mark.parametrize("text", ["yesterday", "2025", "31.13.2025 1", "12345", "1/2", "20251"])
def test_what_is_no_time_has_no_format(text: str) -> None:
    assert dates([text]).formats == ()


def test_a_time_of_a_zone_is_an_instant() -> None:
    assert moment(" 31.12.2025\u00a019:05 ", ("%d.%m.%Y %H:%M",), "Asia/Almaty") == AT
    assert moment("2025-12-31 19:05:00 +0500", ("iso",), "UTC") == AT
    # What a workbook's cells become is read under any format.
    assert moment("2025-12-31T14:05:00", ("%d.%m.%Y",), "UTC") == AT
