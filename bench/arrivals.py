"""When rows arrived, read afterwards from where it is written down anyway, so that watching costs the run nothing.

Delta: the time at which each commit's file was stored, and the rows it added. ClickHouse: the end of each insert in
its query log.
"""

from __future__ import annotations

import json

from bench.ground import BRONZE, QUARANTINE, SILVER, Sinks
from bench.stats import Curve, growing
from conf.connect import clickhouse, s3


def curves(sinks: Sinks, since: float) -> list[Curve]:
    """How each of a contender's tables filled after `since`."""
    lake = [_delta(sinks, name) for name in (BRONZE, SILVER, QUARANTINE)]
    return [*lake, *(_clickhouse(sinks, name, since) for name in (sinks.silver, sinks.refused))]


def _delta(sinks: Sinks, name: str) -> Curve:
    settings = sinks.settings
    client, added = s3(settings), []
    folder = settings.table_path(name).partition(f"{settings.bucket}/")[2] + "/_delta_log/"
    for item in client.list_objects(settings.bucket, prefix=folder):
        if not (item.object_name or "").endswith(".json") or item.last_modified is None:
            continue
        answer = client.get_object(settings.bucket, item.object_name or "")
        try:
            actions = [json.loads(line) for line in answer.data.decode().splitlines()]
        finally:
            answer.close()
            answer.release_conn()
        files = [action["add"] for action in actions if "add" in action and action["add"]["dataChange"]]
        rows = sum(json.loads(file["stats"])["numRecords"] for file in files)
        if rows:
            added.append((item.last_modified.timestamp(), rows))
    return growing(f"Delta {name}", added)


def _clickhouse(sinks: Sinks, name: str, since: float) -> Curve:
    client = clickhouse(sinks.settings)
    client.command("SYSTEM FLUSH LOGS")
    rows = client.query(
        "SELECT toUnixTimestamp64Micro(event_time_microseconds) / 1e6, written_rows FROM system.query_log"
        " WHERE type = 'QueryFinish' AND query_kind = 'Insert' AND event_time >= toDateTime(%(since)s)"
        " AND has(tables, %(name)s)",
        {"since": int(since), "name": name},
    ).result_rows
    client.close()
    return growing(f"ClickHouse {name}", [(float(at), int(count)) for at, count in rows])
