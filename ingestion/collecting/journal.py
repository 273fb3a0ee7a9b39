"""The journal of collections, `ops.collect_runs`: a row for each endpoint that a run asked.

Rows wait in a file a run until ClickHouse has them: the load itself matters more than its journal. The run's id is the
token of the insert, so that a file that is sent twice, by two collectors or before a crash, is in the table once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conf import Settings
from conf.connect import clickhouse
from ingestion.collecting.run_stats import EndpointStats
from ingestion.collecting.state import Walk
from schemas.contract import contract
from schemas.ops.tables import CollectRuns

COLLECT_RUNS = contract(CollectRuns)
COLUMNS = [column.name for column in COLLECT_RUNS.serving_columns]
INSTANTS = [column.name for column in COLLECT_RUNS.serving_columns if column.type.name == "INSTANT"]
Insert = Callable[[Settings, list[list[Any]], str], None]
NAMED = "collect_runs"


def row(run_id: str, stats: EndpointStats, collection: str) -> dict[str, Any]:
    """One tally as a row of the journal; instants as text."""
    return {
        "run_id": run_id,
        "collection_code": collection,
        "register_name": stats.name,
        "mode": stats.mode,
        "page_count": stats.counts.pages,
        "row_count": stats.rows,
        "retry_count": stats.counts.retries,
        "seconds": round(stats.counts.seconds, 3),
        "slowest_seconds": round(stats.counts.slowest, 3),
        "quarantined_count": stats.quarantined,
        "not_found_count": stats.counts.not_found,
        "is_complete": stats.is_complete,
        "message": stats.message,
        "started_at": _instant(stats.started),
        "finished_at": _instant(stats.finished or stats.started),
    }


def write(
    settings: Settings, collection: str, run_id: str, run_stats: Iterable[EndpointStats], insert: Insert | None = None
) -> str:  # fmt: skip
    """Add a run to the journal, with what waits from earlier ones. The sentence to say where it had to wait; or ''."""
    keep(settings, collection, run_id, run_stats)
    for path in waiting(settings):
        rows = list(_rows(path))
        try:
            if rows:
                (insert or _insert)(settings, rows, path.stem)
        except Exception as problem:
            # Whatever is wrong with ClickHouse, the rows are kept and the load was done.
            host, port = settings.clickhouse
            left = sum(len(list(_rows(path))) for path in waiting(settings))
            return (
                f"The journal ops.collect_runs was not written, for ClickHouse at {host}:{port} did not take it "
                f"({type(problem).__name__}); its {left:,} rows wait in {path.parent} for the next run."
            )
        path.unlink(missing_ok=True)
    return ""


def keep(settings: Settings, collection: str, run_id: str, run_stats: Iterable[EndpointStats]) -> None:
    """Put the rows of a run where they wait. The file is there whole or not at all, for others may be reading."""
    lines = (row(run_id, stats, collection) for stats in run_stats)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    if not text:
        return
    path = settings.data / "collections" / f"{NAMED}.{run_id}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def cut_off(walk: Walk, began: float) -> EndpointStats:
    """What is known of a walk whose run ended without a word, by kill -9 or with the machine."""
    stats = EndpointStats(walk.register, walk.mode, started=began, finished=began)
    stats.fail(f"The run was cut off; the walk stands after {walk.pages:,} pages with {walk.rows:,} rows.")
    return stats


def waiting(settings: Settings) -> list[Path]:
    """The files in which rows wait, the oldest first."""
    return sorted((settings.data / "collections").glob(f"{NAMED}*.jsonl"))


def _rows(path: Path) -> Iterable[list[Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return  # Another collector has sent it.
    for line in text.splitlines():
        try:
            lines = json.loads(line)
        except ValueError:
            continue  # The end of a line that a killed run could not write.
        yield [datetime.fromisoformat(lines[name]) if name in INSTANTS else lines[name] for name in COLUMNS]


def _insert(settings: Settings, rows: list[list[Any]], token: str) -> None:
    client = clickhouse(settings, connect_timeout=5, send_receive_timeout=30)
    try:
        client.insert(
            COLLECT_RUNS.name, rows, column_names=COLUMNS, settings={"insert_deduplication_token": token}
        )  # fmt: skip
    finally:
        client.close()


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
