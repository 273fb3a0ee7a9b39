"""The counts that the demo and `status` show, one function each, all asked from where the rows lie."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from conf import Settings
from infra.local import clickhouse_http
from infra.local.errors import Failed
from schemas.contract import Contract, lists_corrections, tables

SIDE_BY_SIDE = 8
"""Counts that are asked for at one time."""


def delta_count(settings: Settings, name: str, expression: str = "count()") -> int:
    """A count over a Delta table, read by ClickHouse; 0 while the table does not exist."""
    if settings.is_lake_new:
        # There is nothing to count, and perhaps no MinIO yet that could say so.
        return 0
    sql = f"SELECT {expression} FROM deltaLake(lake, url = '{settings.table_url(name)}')"
    try:
        return int(clickhouse_http.rows(settings, sql)[0][0])
    except clickhouse_http.QueryFailed:
        return 0


def clickhouse_count(settings: Settings, name: str, final: bool = False) -> int:
    """Rows of a ClickHouse table; 0 while it does not exist."""
    try:
        return int(clickhouse_http.rows(settings, f"SELECT count() FROM {name}{' FINAL' if final else ''}")[0][0])
    except clickhouse_http.QueryFailed:
        return 0


def layer(settings: Settings, name: str, expression: str = "count()") -> int:
    """A count over all Delta tables of a layer."""
    return _sum(partial(delta_count, settings, table.name, expression) for table in _streamed(tables(layer=name)))


def _sum(counts: Iterable[Callable[[], int]]) -> int:
    """The sum of counts that are asked for side by side: each waits mostly for storage."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return sum(pool.map(lambda count: count(), counts))


def _streamed(candidates: Iterable[Contract]) -> list[Contract]:
    streamed = [contract for contract in candidates if contract.delta and contract.refresh == "stream"]
    return [contract for contract in streamed if not lists_corrections(contract)]


def bronze(settings: Settings) -> int:
    """Events that reached the lake, duplicates and refused ones among them."""
    return layer(settings, "bronze")


def silver_events(settings: Settings) -> int:
    """Accepted events in the lake."""
    return layer(settings, "silver", "uniqExact(event_id)")


def superseded(settings: Settings) -> int:
    """Accepted events that no longer hold, as a later one has corrected them, in the lake."""
    listed = [contract for contract in tables(layer="silver") if lists_corrections(contract)]
    return _sum(partial(delta_count, settings, contract.name, "uniqExact(event_id)") for contract in listed)


def silver_rows(settings: Settings) -> int:
    """Rows of the lake's silver tables."""
    return layer(settings, "silver")


def quarantined(settings: Settings) -> int:
    """Refused events in the lake."""
    return layer(settings, "quarantine")


def clickhouse_silver(settings: Settings) -> int:
    """Rows of silver as ClickHouse's users see them."""
    served = [c for c in _streamed(tables(layer="silver")) if c.clickhouse]
    return _sum(partial(clickhouse_count, settings, c.name, final=True) for c in served)


def clickhouse_quarantined(settings: Settings) -> int:
    """Refused events as ClickHouse's users see them."""
    return clickhouse_count(settings, "ops.quarantine", final=True)


def gold(settings: Settings) -> dict[str, int]:
    """Rows of each gold table in ClickHouse."""
    names = [c.name for c in tables(layer="gold") if c.clickhouse]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return dict(zip(names, pool.map(partial(clickhouse_count, settings), names), strict=True))


def stopped_checks(settings: Settings) -> list[str]:
    """What the last checks of each table stopped, a sentence each; nothing while there was no check."""
    sql = (
        "SELECT concat(table_name, if(collection_code = '', '', concat(' of ', collection_code)), "
        "if(day = 'all', '', concat(' on ', day)), ': ', sentence, "
        "' (', check_name, ': seen ', seen_value, ', wanted ', wanted_value, ')') "
        "FROM ops.latest_checks WHERE outcome = 'stopped'"
    )
    try:
        return [row[0] for row in clickhouse_http.rows(settings, sql)]
    except Failed:
        return []


def all_counts(settings: Settings) -> dict[str, int]:
    """Every figure by its name; empty when ClickHouse does not answer."""
    with contextlib.suppress(Failed):
        counts = {
            "bronze": bronze(settings),
            "silver_events": silver_events(settings),
            "superseded": superseded(settings),
            "silver_rows": silver_rows(settings),
            "quarantined": quarantined(settings),
            "clickhouse_silver_rows": clickhouse_silver(settings),
            "clickhouse_quarantined": clickhouse_quarantined(settings),
            "gold_rows": sum(gold(settings).values()),
        }
        counts["duplicates"] = counts["bronze"] - counts["silver_events"] - counts["quarantined"]
        return counts
    return {}
