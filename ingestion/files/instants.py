"""Times as people and their programs write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ISO, EXCEL = "iso", "excel"
EXCEL_BEGAN = datetime(1899, 12, 30)  # noqa: DTZ001
SERIAL = re.compile(r"([3-7][0-9]{4})([.,]([0-9]{1,12}))?", re.ASCII)
SCIENTIFIC = re.compile(r"([0-9]+)E-([0-9]{1,2})", re.ASCII)
# What a workbook's cells become: ISO 8601 with a T, which is read so under any format.
WITH_T = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}", re.ASCII)
OFFSET = re.compile(r"[ ]+([+-][0-9]{2}:?[0-9]{2}|UTC|GMT|Z)$", re.ASCII)
BLANKS = re.compile(r"\s+")


@lru_cache(maxsize=65_536)
def moment(text: str, formats: tuple[str, ...], timezone: str) -> datetime | None:
    """The instant, UTC, by the first format that fits; None where none does. Times without a zone are of `timezone`."""
    text = text.strip()
    for chosen in formats:
        read = _read(text, chosen)
        if read is not None:
            break
    else:
        text = BLANKS.sub(" ", text)
        read = next((match for chosen in formats if (match := _read(text, chosen))), None)
        if read is None and WITH_T.match(text):
            read = _iso(text)
        if read is None and SCIENTIFIC.fullmatch(text):
            read = _serial(text)
    if read is None:
        return None
    try:
        return (read if read.tzinfo else read.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
    except OverflowError:
        return None


def _read(text: str, chosen: str) -> datetime | None:
    if chosen == ISO:
        return _iso(text)
    if chosen == EXCEL:
        return _serial(text)
    try:
        return datetime.strptime(text, chosen)  # noqa: DTZ007
    except (ValueError, OverflowError):
        return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        pass
    # Shopify writes 2025-11-20 09:30:00 +0500, others a zone's name.
    ended = OFFSET.search(text)
    if not ended:
        return None
    try:
        return datetime.fromisoformat(text[: ended.start()] + ended[1].replace("UTC", "Z").replace("GMT", "Z"))
    except (ValueError, OverflowError):
        return None


def _serial(text: str) -> datetime | None:
    """Days since the end of 1899, as a spreadsheet counts them; to the second."""
    if scientific := SCIENTIFIC.fullmatch(text):
        digits, places = scientific[1], int(scientific[2])
        text = f"{digits[:-places]}.{digits[-places:]}" if places < len(digits) else ""
    match = SERIAL.fullmatch(text)
    if not match:
        return None
    fraction = match[3] or "0"
    seconds = round(int(fraction) * 86_400 / 10 ** len(fraction))
    return EXCEL_BEGAN + timedelta(days=int(match[1]), seconds=seconds)


def expected(formats: tuple[str, ...]) -> str:
    """What a time must look like, in words."""
    words = {ISO: "like 2026-01-31 09:30:00", EXCEL: "as a spreadsheet counts days, like 46053.3958"}
    return "a time " + " or ".join(words.get(chosen, f"as {chosen}") for chosen in formats)
