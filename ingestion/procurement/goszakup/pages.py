"""Answers into rows: the bytes of each row are cut out of the page as the service sent them, never written anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from ingestion.collecting.client import DamagedBody
from ingestion.core.message import Headers, Message, cloud_event
from schemas.procurement import COLLECTION
from schemas.procurement.endpoints import VERSIONS, Endpoint, details

UNREADABLE = "kz.goszakup.unreadable"
CHANGED = (*VERSIONS, "edit_date", "date_action")
"""Fields that tell when a row changed."""
NO_TIME = (b"", b"null", b'""')
LONGEST_UNREADABLE = 900_000
"""Bytes of an answer that are kept where it cannot be read."""


class Page(msgspec.Struct):
    """The envelope of a list."""

    items: list[msgspec.Raw]
    next_page: str | None = None
    total: Any = None

    @property
    def expected(self) -> int:
        """Rows of the whole list, as the service counts them; 0 where it does not say."""
        text = str(self.total or 0)
        return int(text) if text.isdecimal() else 0


class Row(msgspec.Struct):
    """What is read of a row: its key, the fields that name its sub-lists, and its bytes.

    `is_timeless` where it does not say when it changed. `mark` names its version, where its bytes alone do not.
    """

    key: str
    read: Any
    raw: bytes
    is_timeless: bool = False
    mark: str = ""


class RowReader:
    """Reads the rows of one endpoint: their keys, and the fields that name their sub-lists. Other fields may be any."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        typed: dict[str, Any] = dict.fromkeys(("action", "url"), str | None)
        lists = details(endpoint.item_of or endpoint.name)
        typed |= {field: int | str | None for sub_list in lists for field in sub_list.parent_field}
        fields: list[Any] = [(name, int | str) for name in endpoint.key]
        for name in sorted(endpoint.known_fields - set(endpoint.key)):
            fields.append((name, typed[name], None) if name in typed else (name, msgspec.Raw, msgspec.Raw()))
        self._decoder = msgspec.json.Decoder(msgspec.defstruct("Read", fields, gc=False))
        self._times = [name for name in CHANGED if name in endpoint.known_fields]

    def rows(self, items: list[msgspec.Raw]) -> Iterator[Row | tuple[bytes, str]]:
        """Each row, or the bytes of what is none and the reason."""
        keys = self.endpoint.key
        single = keys[0] if len(keys) == 1 else ""
        for item in items:
            raw = bytes(item)
            try:
                read = self._decoder.decode(raw)
            except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
                yield raw, f"no row of {self.endpoint.name}: {problem}"
                continue
            key = getattr(read, single) if single else "-".join(str(getattr(read, name)) for name in keys)
            is_timeless = all(bytes(getattr(read, name)) in NO_TIME for name in self._times)
            yield Row(str(key), read, raw, is_timeless)


def read_page(body: bytes, key: Sequence[str] = ()) -> Page:
    """The envelope of a list, or a bare object with the fields of this key as a page of one. Raises DamagedBody."""
    try:
        page: Page = _decoded(body, _PAGES)
    except DamagedBody:
        if not key or not _is_row(body, key):
            raise
        return Page([msgspec.Raw(body.strip())])
    return page


def _is_row(body: bytes, key: Sequence[str]) -> bool:
    """Whether a body is a row where a list was to come, as in the service's own sample of treasury payments."""
    try:
        fields_of_body = _OBJECTS.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return "items" not in fields_of_body and all(name in fields_of_body for name in key)


def read_object(body: bytes) -> Page:
    """A bare object as a page of one row. Raises DamagedBody."""
    _decoded(body, _OBJECTS)
    return Page([msgspec.Raw(body.strip())])


def _decoded(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    start = body.lstrip()[:1]
    if not start:
        raise DamagedBody("the answer is empty")
    if start == b"<":
        raise DamagedBody("the answer is a web page, where JSON was expected")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as problem:
        raise DamagedBody(f"the answer has another shape: {problem}") from None
    except msgspec.DecodeError as problem:
        what = "the answer is cut off" if "truncated" in str(problem) else f"the answer is no JSON: {problem}"
        raise DamagedBody(what) from None
    except RecursionError:
        raise DamagedBody("the answer is nested too deeply") from None


_PAGES = msgspec.json.Decoder(Page)
_OBJECTS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def digest(raw: bytes) -> str:
    """16 hexadecimal digits that change when the bytes do."""
    return blake2b(raw, digest_size=8).hexdigest()


class Envelope:
    """What the messages of one answer share: type, source, time of fetching, and the parent of a sub-list."""

    def __init__(
        self, endpoint: Endpoint, path: str, fetched_at: str, parent: str = "", collection: str = COLLECTION
    ) -> None:
        self._event_type = endpoint.event_type or ""
        self._prefix = f"{collection}:{endpoint.name}:"
        self._shared = _shared(self._event_type, path, fetched_at, collection)
        if parent:
            self._shared = [*self._shared, ("parent", parent.encode())]

    def message(self, row: Row) -> Message:
        """The row as an event; equal bytes of one version are one event, whenever they are fetched."""
        event_id = f"{self._prefix}{row.key}:{row.mark or digest(row.raw)}"
        headers = [("ce_id", event_id.encode()), *self._shared]
        return Message(event_id, f"{self._event_type}:{row.key}".encode(), row.raw, headers)


def unreadable(
    endpoint: Endpoint, url: str, path: str, fetched_at: str, body: bytes, reason: str, collection: str = COLLECTION
) -> Message:
    """What could not be read, for quarantine."""
    event_id = f"{collection}:unreadable:{endpoint.name}:{digest(url.encode() + b' ' + body)}"
    headers = [("ce_id", event_id.encode()), *_shared(UNREADABLE, path, fetched_at, collection)]
    headers += [("url", url.encode()), ("reason", reason.encode())]
    return Message(event_id, f"{UNREADABLE}:{endpoint.name}".encode(), body[:LONGEST_UNREADABLE], headers)


@lru_cache(maxsize=64)
def _attributes(event_type: str, path: str, fetched_at: str, collection: str) -> tuple[tuple[str, bytes], ...]:
    headers = cloud_event("", event_type, f"{collection}:{path}", fetched_at)
    return (*headers[1:], ("collection", collection.encode()))


def _shared(event_type: str, path: str, fetched_at: str, collection: str) -> Headers:
    return list(_attributes(event_type, path, fetched_at, collection))
