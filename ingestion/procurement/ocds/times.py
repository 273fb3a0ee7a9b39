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


def standard(told: str) -> str | None:
    """A time with seconds and zone, None for one that stands for none. What is no time passes as it is.

    Seconds and a zone that are missing are zero and UTC; of a fraction what is beyond the sixth digit is dropped.
    """
    found = _TIME.fullmatch(told)
    if found is None:
        return told
    if found["day"][:4] in NEVER:
        return None
    fraction = (found["fraction"] or "")[:FRACTION].rstrip("0")
    return (
        f"{found['day']}T{found['minute'] or '00:00'}:{found['second'] or '00'}"
        f"{'.' if fraction else ''}{fraction}{_zone(found['zone'])}"
    )


def _zone(told: str | None) -> str:
    if not told or told in "Zz":
        return "Z"
    return f"{told[:3]}:{told[3:].lstrip(':') or '00'}"


def instant(told: object) -> str:
    """The same in UTC, in a form that sorts by time; empty for what is no time."""
    try:
        at = datetime.fromisoformat(standard(told.strip()) or "") if isinstance(told, str) else None
        return "" if at is None or at.tzinfo is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    except (ValueError, OverflowError):
        return ""


def plain(sortable: str) -> str:
    """The form without a fraction that is nought."""
    return re.sub(r"\.?0*Z$", "Z", sortable) if "." in sortable else sortable
