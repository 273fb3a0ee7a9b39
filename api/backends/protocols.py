"""What the API needs of the outside, as protocols: real ones in `api.backends.backends`, small fakes in tests."""

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
    """As much of ClickHouse as is needed: questions of the read-only user, with bound parameters."""

    async def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]: ...

    def stream(self, sql: str, parameters: Mapping[str, Any] | None = None) -> AsyncIterator[bytes]:
        """The bytes of a long answer, in pieces whose length is a multiple of 16."""
        ...


class IdempotencyStore(Protocol):
    """Which content an idempotency key was first used for."""

    async def claim(self, owner: str, text: str, content: bytes) -> None:
        """Claim an owner's key for a content. Raises a Problem (422) where it was used for another."""


class EventProducer(Protocol):
    """As much of Kafka as is needed."""

    async def send(self, topic: str, records: Sequence[Record]) -> None:
        """Come back when every record is acknowledged by all replicas. Raises a Problem (503) where one is not."""
