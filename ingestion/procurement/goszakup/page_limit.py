"""Around a page that cannot be read: fewer rows at once, until the row that spoils it stands alone and is passed."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode

import msgspec

from ingestion.procurement.goszakup.pages import Page

NARROWER = 8
"""So many times fewer rows are asked for when a page cannot be read."""
FEW_TRIES = 3
"""How often a narrower page is asked for: the wide one was, with all patience."""
NEXT_PAGE = re.compile(rb'"next_page"\s*:\s*("(?:[^"\\]|\\.)*"|null)')


class PageLimit:
    """The limit that the pages of one walk are asked with: its usual one, or fewer rows while some are in trouble."""

    def __init__(self, limit: int) -> None:
        self._usual = self._limit = limit
        self._left = 0

    @property
    def is_on(self) -> bool:
        return self._limit < self._usual

    def tighten(self) -> bool:
        """A page could not be read: ask for fewer rows. False where it was one row already."""
        if self._limit == 1:
            return False
        if not self.is_on:
            self._left = self._usual
        self._limit = max(1, self._limit // NARROWER)
        return True

    def was_read(self, rows: int) -> None:
        """Once as many rows came as the page in trouble has, the usual limit may do again."""
        self._left -= rows
        if self._left <= 0:
            self.widen()

    def widen(self) -> None:
        self._limit, self._left = self._usual, 0

    def narrowed(self, address: str) -> str:
        """The address with the limit of now; as it is where that is the usual one."""
        return _with_limit(address, self._limit) if self.is_on else address

    def usual(self, address: str) -> str:
        """An address that the service gave after a narrow page, with the usual limit."""
        return _with_limit(address, self._usual) if self.is_on and address else address


def remains(body: bytes) -> Page | None:
    """What a damaged page still says: where the next one is. None where it does not."""
    match = NEXT_PAGE.search(body)
    if match is None:
        return None
    try:
        return Page([], msgspec.json.decode(match[1], type=str | None))
    except msgspec.MsgspecError:
        return None


def _with_limit(address: str, limit: int) -> str:
    path, _, query = address.partition("?")
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "limit"]
    return f"{path}?{urlencode([*kept, ('limit', str(limit))])}"
