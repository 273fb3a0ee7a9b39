"""Queries to ClickHouse, as the read-only user."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import httpx
import orjson

from api.http.problems import Problem, unavailable
from conf import Settings
from schemas.derive.views import all_views

PART = "ClickHouse"
SECONDS = 20.0
STREAMED_BYTES = 1 << 16
TOO_SLOW, TOO_MUCH = "159", "241"


_SINCE = """
    ingested_at >= toDateTime({since:UInt32}) AND _part IN (
        SELECT name FROM system.parts
        WHERE database = '{database}' AND table = '{table}' AND modification_time >= toDateTime({since:UInt32}) - 60
    )
"""


def arrived_since(name: str) -> str:
    """The condition that a row of this table arrived since the parameter ``since``.

    Such a row lies in a part that was written since then: older parts need not be read. Parts that were merged away
    meanwhile are named too, for the query may still read them.
    """
    database, _, table = name.partition(".")
    return _SINCE.replace("{database}", database).replace("{table}", table)


def view_over(view: str, source: str, rows: str) -> str:
    """The statement of a view that reads the subquery `rows` in place of the table or view `source`."""
    (statement,) = (each.statement for each in all_views() if each.name == view)
    _, head, select = statement.partition(f"CREATE OR REPLACE VIEW {view} AS")
    if not head or select.count(f"FROM {source}") != 1:
        raise ValueError(f"{view} does not read {source} just once")
    return select.replace(f"FROM {source}", f"FROM ({rows})")


class ClickHouse:
    """ClickHouse over HTTP. `clickhouse_connect` would need aiohttp for this, or a thread for each query."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        host, port = settings.clickhouse
        self._client = httpx.AsyncClient(
            base_url=f"http://{host}:{port}",
            headers={"X-ClickHouse-User": "reader", "X-ClickHouse-Key": settings.secrets.clickhouse_reader},
            params={
                "default_format": "JSONCompact",
                # Exact amounts are texts: most JSON parsers read numbers as binary fractions.
                "output_format_json_quote_decimals": "1",
                "output_format_json_quote_64bit_integers": "0",
                "date_time_output_format": "iso",
                "max_execution_time": str(int(SECONDS)),
                "wait_end_of_query": "1",
            },
            timeout=httpx.Timeout(SECONDS + 5, connect=2.0),
            limits=httpx.Limits(max_connections=8),
            # ClickHouse is near: a proxy from the environment must not be used.
            trust_env=False,
            transport=transport,
        )

    async def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a query by their columns' names. Values are bound by the server: ``{name:Type}``.

        Raises a Problem: 503 where ClickHouse is away or takes too long.
        """
        bound = {f"param_{name}": _written(value) for name, value in (parameters or {}).items()}
        try:
            answer = await self._client.post("/", params=bound, content=sql.encode())
        except httpx.HTTPError:
            raise unavailable(PART) from None
        if answer.status_code != 200:
            raise _refused(answer)
        answered = orjson.loads(answer.content)
        names = [column["name"] for column in answered["meta"]]
        return [dict(zip(names, row, strict=True)) for row in answered["data"]]

    async def stream(self, sql: str, parameters: Mapping[str, Any] | None = None) -> AsyncIterator[bytes]:
        """The bytes of a long answer, in pieces whose length is a multiple of 16. Raises a Problem (503)."""
        bound = {f"param_{name}": _written(value) for name, value in (parameters or {}).items()}
        settings = {"wait_end_of_query": "0", "max_execution_time": "600"} | bound
        left = b""
        try:
            async with self._client.stream("POST", "/", params=settings, content=sql.encode()) as answer:
                if answer.status_code != 200:
                    await answer.aread()
                    raise _refused(answer)
                async for piece in answer.aiter_bytes(STREAMED_BYTES):
                    whole = left + piece
                    end = len(whole) // 16 * 16
                    left = whole[end:]
                    yield whole[:end]
        except httpx.HTTPError:
            raise unavailable(PART) from None

    async def probe(self) -> None:
        await self.rows("SELECT 1")

    async def close(self) -> None:
        await self._client.aclose()


def _refused(answer: httpx.Response) -> Exception:
    code = answer.headers.get("X-ClickHouse-Exception-Code", "")
    if code in (TOO_SLOW, TOO_MUCH):
        return Problem(503, "too-much", "The query takes too much time or memory. Ask for less.",
                       headers={"Retry-After": "30"})  # fmt: skip
    if answer.status_code >= 500 and not code:
        return unavailable(PART)
    # All other errors are faults in our SQL.
    return RuntimeError(f"ClickHouse refused a query: {answer.text[:500]}")


def _written(value: Any) -> str:
    """A value as ClickHouse reads parameters: escaped as in its TSV, and lists in brackets."""
    if isinstance(value, list | tuple):
        return "[" + ",".join("'" + _escaped(str(each)).replace("'", "\\'") + "'" for each in value) + "]"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, date | Decimal | int):
        return str(value)
    return _escaped(str(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
