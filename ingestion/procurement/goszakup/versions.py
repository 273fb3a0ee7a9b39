"""Which version of a row its bytes are, where no time in the row says so.

An event's id is made of the row's key and bytes. A row that changes and changes back has the bytes of its first version
again, and would be taken for a copy of it. A time in the row tells them apart; of rows without one the last version is
remembered, and the next one's id is made of both. Read again unchanged, a row keeps its id.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.collecting.state import State
from ingestion.procurement.goszakup.pages import Row, digest
from schemas.procurement.endpoints import Endpoint

GONE = "gone"


def following(before: str, hashed: str) -> str:
    """The mark of a version whose bytes have this hash, after the version with the mark `before`; "" where none is."""
    if not before or before.partition("-")[0] == hashed:
        return before or hashed
    return f"{hashed}-{digest(before.encode())}"


class Versions:
    """Marks rows. What is remembered may run ahead of what Kafka has: a row that is read again has its mark again."""

    def __init__(self, state: State) -> None:
        self._state = state

    def mark(self, endpoint: Endpoint, rows: Sequence[Row]) -> None:
        """Give the rows that tell no time their marks."""
        timeless = [row for row in rows if row.is_timeless]
        known = self._state.marks(endpoint.event, [row.key for row in timeless])
        news: dict[str, str] = {}
        for row in timeless:
            row.mark = following(known.get(row.key, ""), digest(row.raw))
            if known.get(row.key) != row.mark:
                known[row.key] = news[row.key] = row.mark
        self._state.mark(endpoint.event, news)

    def left(self, register: Endpoint, key: str, deletion: bytes) -> None:
        """A deletion was told of: should the row come back as it was, it is another version. Told again, it is one."""
        deletion_hash = digest(deletion)
        place = f"{register.event} {GONE}"
        last = self._state.marks(register.event, [key]).get(key)
        if last is None or self._state.marks(place, [key]).get(key) == deletion_hash:
            return
        self._state.mark(place, {key: deletion_hash})
        self._state.mark(register.event, {key: f"{GONE}-{digest(last.encode() + deletion)}"})
