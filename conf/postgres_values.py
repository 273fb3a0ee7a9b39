"""Values that PostgreSQL holds and Python cannot: infinite times, times before year 1 and after 9999, NaN, broken text.

psycopg raises for each of them, and so one row ends the reading of all. Here such a value comes as an `Unreadable` in
its place, and whoever reads decides what becomes of the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from psycopg import DataError
from psycopg.adapt import Loader
from psycopg.pq import Format

if TYPE_CHECKING:
    from psycopg import AsyncConnection, Connection
    from psycopg.abc import AdaptContext, Buffer

TYPES = ("timestamptz", "timestamp", "date", "numeric")
TEXTS = ("text", "varchar", "bpchar", "jsonb", "json")
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2299, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
"""Instants that all of Delta and ClickHouse can hold; beyond them ClickHouse shows others, in silence."""


@dataclass(frozen=True)
class Unreadable:
    """`text` is the value as PostgreSQL writes it; empty where it is no text at all."""

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def is_before(self) -> bool:
        """Of a time: before all that can be read, and not after."""
        return self.text.endswith("BC") or self.text == "-infinity"


class _Tolerant(Loader):
    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._loader = _known[oid](oid, context)

    def load(self, data: Buffer) -> Any:
        try:
            value = self._loader.load(data)
        except (DataError, ValueError, OverflowError):
            return Unreadable(bytes(data).decode(errors="replace"))
        if isinstance(value, Decimal) and not value.is_finite():
            return Unreadable(str(value))
        return value


class _Text(Loader):
    """For a database without an encoding (SQL_ASCII), which takes any bytes for text."""

    def load(self, data: Buffer) -> Any:
        try:
            return bytes(data).decode()
        except UnicodeDecodeError:
            return Unreadable("")


_known: dict[int, type[Loader]] = {}


def tolerate(connection: Connection[Any] | AsyncConnection[Any]) -> None:
    """Have a connection hand over what it cannot read as `Unreadable`."""
    adapters = connection.adapters
    for name in TYPES:
        oid = adapters.types[name].oid
        loader = adapters.get_loader(oid, Format.TEXT)
        if loader is not None and not (isinstance(loader, type) and issubclass(loader, _Tolerant)):
            _known[oid] = loader  # type: ignore[assignment]
            adapters.register_loader(oid, _Tolerant)
    if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
        for name in TEXTS:
            adapters.register_loader(adapters.types[name].oid, _Text)


def fault(value: Any) -> str:
    """Why a value cannot go on to the lake, as the end of a sentence; empty where it can.

    What may tell of a person is not repeated.
    """
    if isinstance(value, Unreadable):
        return f"cannot be read: {value.text}" if value.text else "is no UTF-8"
    if isinstance(value, datetime) and not EARLIEST <= value <= LATEST:
        return f"is outside of the years 1900 to 2299: {value.isoformat()}"
    return ""
