"""Where the next page is: `next_page` of an answer, repaired where the service is known to err and else refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from ingestion.core.errors import IngestError
from schemas.procurement.endpoints import Endpoint

VERSIONED = re.compile(r"/v[0-9]+/")
PLAIN = re.compile(r"[!-\[\]-~]+")  # Printable ASCII without blanks and without the backslash.


class CursorRefused(IngestError):
    """A cursor that would leave the service, the register, or the way to its end."""


class Step(NamedTuple):
    """The next request: a path with its query, and the cursor in it."""

    address: str
    search_after: str


def first_address(path: str, own: Mapping[str, str]) -> str:
    """The request that a walk begins with. `own` are the parameters we ask with, such as the limit."""
    return f"{path}?{urlencode(own)}" if own else path


def follow(
    endpoint: Endpoint, path: str, base: str, next_page: str, *, last: str = "", seen: Collection[str] = (),
    own: Mapping[str, str] | None = None, least: str = "",
) -> Step:  # fmt: skip
    """The step after a page of the register at `path`. Raises CursorRefused with a sentence.

    `last` is the cursor of the page that was read, `seen` those of all pages in a walk that does not descend. `own`
    parameters are added where the service forgot them. `least` is the least id of the page, where that is known: a
    cursor below it would skip rows.
    """

    def refused(why: str) -> CursorRefused:
        after = f" after the cursor {last}" if last else ""
        return CursorRefused(f"{endpoint.name}: the service gave the next page as {next_page!r}{after}, {why}")

    if not PLAIN.fullmatch(next_page):
        raise refused("which is no address.")
    try:
        given, home = urlsplit(next_page), urlsplit(base)
        port = given.port
    except ValueError:
        raise refused("which is no address.") from None
    if given.scheme or given.netloc:
        there = (given.scheme or home.scheme, given.hostname, port)
        if there != (home.scheme, home.hostname, home.port) or "@" in given.netloc:
            raise refused(f"which is not on {base}.")
    if _repaired(endpoint, path, given.path) != path.rstrip("/"):
        raise refused(f"which is not the path {path} that is being read.")
    query = parse_qsl(given.query, keep_blank_values=True)
    cursors = [value for name, value in query if name == "search_after"]
    if len(cursors) != 1 or not cursors[0]:
        raise refused("which does not say search_after once.")
    (cursor,) = cursors
    if endpoint.descends:
        if not cursor.isdecimal():
            raise refused("where a number was expected as search_after.")
        if last.isdecimal() and int(cursor) >= int(last):
            raise refused(f"and {cursor} does not advance from {last}: ids must fall from page to page.")
        if least.isdecimal() and int(cursor) < int(least):
            raise refused(f"and would skip rows: the last one of the page is {least}.")
    elif cursor == last or cursor in seen:
        raise refused(f"and {cursor} was read before: following it would never end.")
    names = {name for name, _ in query}
    query += [(name, value) for name, value in (own or {}).items() if name not in names]
    return Step(f"{path}?{urlencode(query)}", cursor)


def _repaired(endpoint: Endpoint, path: str, given: str) -> str:
    """The path meant: without one it is the register's own, without a version the register's is put before it."""
    given = given.rstrip("/")
    if not given:
        return path.rstrip("/")
    given = given if given.startswith("/") else f"/{given}"
    version = "/" + path.split("/")[1]
    if not VERSIONED.match(given):
        given = version + given
    return path.rstrip("/") if given in {version + wrong for wrong in endpoint.repairs} else given
