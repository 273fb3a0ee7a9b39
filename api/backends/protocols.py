"""Protocols of what the API needs of its backends: the real ones are in `api.backends`, small fakes in tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.common.cloudevents import Headers


@dataclass(frozen=True, slots=True)
class Record:
    """What is sent to Kafka."""

    key: bytes
    value: bytes
    headers: Headers


class Warehouse(Protocol):
    """What is needed of ClickHouse: queries of the read-only user, with bound parameters."""

    async def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]: ...

    def stream(self, sql: str, parameters: Mapping[str, Any] | None = None) -> AsyncIterator[bytes]:
        """The bytes of a long answer, in pieces whose length is a multiple of 16."""
        ...


class IdempotencyStore(Protocol):
    """Which content an idempotency key was first used for."""

    async def claim(self, owner: str, text: str, content: bytes) -> None:
        """Claim an owner's key for a content. Raises a Problem (422) where it was used for another."""


class EventProducer(Protocol):
    """What is needed of Kafka."""

    async def send(self, topic: str, records: Sequence[Record]) -> None:
        """Return when all replicas have acknowledged every record. Raises a Problem (503) otherwise."""
