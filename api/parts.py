"""What the API talks to: opened together, closed together; each may be away without taking the API down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from api.measures import Measures
from api.warehouse import ClickHouse
from conf import Settings


class Warehouse(Protocol):
    """As much of ClickHouse as is needed: questions of the read-only user, with bound parameters."""

    async def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]: ...


Probe = Callable[[], Awaitable[None]]


@dataclass
class Parts:
    """The parts of one application. `probes` say, by name, whether a part answers: they raise where it does not."""

    settings: Settings
    warehouse: Warehouse
    probes: dict[str, Probe] = field(default_factory=dict)
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    @classmethod
    def of(cls, settings: Settings, measures: Measures) -> Parts:
        """The real parts; nothing is asked of them yet."""
        clickhouse = ClickHouse(settings)
        made = cls(settings, clickhouse, {"clickhouse": clickhouse.probe})
        made._open.push_async_callback(clickhouse.close)
        return made

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._open.aclose()
