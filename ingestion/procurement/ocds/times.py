"""Times as publishers write them, as the standard wants them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](?P<minute>\d\d:\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?"
    r" ?(?P<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?"
)
FRACTION = 6
"""Digits of a second that are kept: what a time has here."""
NEVER = ("0000", "0001", "9999")
"""Years that programs write where there is no time."""


def standard(text: str) -> str | None:
    """A time with seconds and zone, None for one that stands for none. What is no time passes as it is.

    Seconds and a zone that are missing are zero and UTC; of a fraction what is beyond the sixth digit is dropped.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return text
    if match["day"][:4] in NEVER:
        return None
    fraction = (match["fraction"] or "")[:FRACTION].rstrip("0")
    return (
        f"{match['day']}T{match['minute'] or '00:00'}:{match['second'] or '00'}"
        f"{'.' if fraction else ''}{fraction}{_zone(match['zone'])}"
    )


def _zone(text: str | None) -> str:
    if not text or text in "Zz":
        return "Z"
    return f"{text[:3]}:{text[3:].lstrip(':') or '00'}"


def instant(text: object) -> str:
    """The same in UTC, in a form that sorts by time; empty for what is no time."""
    try:
        at = datetime.fromisoformat(standard(text.strip()) or "") if isinstance(text, str) else None
        return "" if at is None or at.tzinfo is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    except (ValueError, OverflowError):
        return ""


def plain(sortable: str) -> str:
    """The form without a fraction that is nought."""
    return re.sub(r"\.?0*Z$", "Z", sortable) if "." in sortable else sortable
