"""Pages: a listing cut at `limit` rows, in the service's envelope, well or with a fault that pages can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import numpy as np

from standins.goszakup.columns import NEVER, Row, stamps
from standins.goszakup.listings import BadCursor, Listing
from standins.goszakup.service import BadRequest

DEFAULT_LIMIT, MOST = 50, 500
REPEATED = 3


@dataclass(frozen=True)
class PageRequest:
    """What a request asks of a listing: the path, how many rows, after which cursor ("" from the head)."""

    path: str
    limit: int
    after: str
    kept: tuple[tuple[str, str], ...]
    """What of the query goes on into next_page."""


def page_request(path: str, query: Mapping[str, str]) -> PageRequest:
    """Raises BadRequest for a limit that is no number above zero. More than 500 rows are not given."""
    text = query.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and int(text)):
        raise BadRequest(f"limit: {text!r}, ожидается целое число от 1 до {MOST}")
    kept = tuple((key, query[key]) for key in ("limit", "date_from", "date_to") if query.get(key))
    return PageRequest(path, min(int(text), MOST), query.get("search_after", ""), kept)


def page(listing: Listing, ask: PageRequest, clock: int, fault: str = "", detail: int = 0) -> Row:
    """The envelope; `fault` is "", cursor, repeat, late or change. Raises BadRequest for a foreign cursor."""
    try:
        before = listing.below(ask.after) if ask.after else listing.start()
    except BadCursor as problem:
        raise BadRequest(str(problem)) from None
    positions = listing.take(before, ask.limit)
    more = len(positions) == ask.limit and len(listing.take(int(positions[-1]), 1)) > 0
    following = _next(ask, listing.cursor(int(positions[-1]))) if more else ""
    if fault == "late":
        positions, following = listing.ahead(before, ask.limit), _next(ask, ask.after)
    items = listing.rows(positions)
    if fault in ("repeat", "change"):
        again = listing.rows(listing.ahead(before, REPEATED if fault == "repeat" else 1))
        items = [_changed(row, clock) for row in again] + items if fault == "change" else again + items
    if fault == "cursor" and following:
        following = _malformed(following, detail)
    return {"total": listing.total, "limit": ask.limit, "next_page": following, "items": items}


def continues(listing: Listing, ask: PageRequest) -> bool:
    """Whether a page comes after the one that is asked for."""
    try:
        before = listing.below(ask.after) if ask.after else listing.start()
    except BadCursor:
        return False
    positions = listing.take(before, ask.limit)
    return len(positions) == ask.limit and len(listing.take(int(positions[-1]), 1)) > 0


def _next(ask: PageRequest, cursor: str) -> str:
    query = urlencode([*ask.kept, ("search_after", cursor)], safe=":-")
    return f"{ask.path}?page=next&{query}"


def _malformed(following: str, detail: int) -> str:
    """The two ways of the service's own pages: without the version, or, under plans/deleted, another path."""
    path, _, query = following.partition("?")
    if path.endswith("/plans/deleted") and detail % 2:
        return f"/plans/spec?{query}"
    return following[3:]


def _changed(row: Row, clock: int) -> Row:
    """The row as it is after a touch that changed no fact of it."""
    [now] = stamps(np.array([min(clock, NEVER - 1)]))
    return row | {key: now for key in ("index_date", "last_update_date") if key in row}
