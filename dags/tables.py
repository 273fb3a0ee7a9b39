"""Figures as lines of text, for the log of a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

SLOWEST = 5


def collected(runs: Iterable[Mapping[str, Any]]) -> str:
    """What a collection did: rows, pages and seconds of each endpoint, then the slowest calls.

    `runs` are rows of ops.collect_runs.
    """
    known = sorted(runs, key=lambda run: (-int(run["row_count"]), str(run["register_name"])))
    titles = ("rows", 10), ("pages", 8), ("retries", 8), ("seconds", 9), ("slowest", 8)
    lines = [" ".join([f"{'register':<28} {'mode':<8}", *(title.rjust(width) for title, width in titles)]) + "  state"]
    for run in known:
        state = "complete" if run["is_complete"] else f"not complete: {run['message']}"
        lines.append(
            f"{run['register_name']:<28} {run['mode']:<8} {run['row_count']:>10,} {run['page_count']:>8,} "
            f"{run['retry_count']:>8,} {run['seconds']:>9.1f} {run['slowest_seconds']:>8.2f}  {state}"
        )
    lines.append(f"{len(known)} endpoints, {sum(int(run['row_count']) for run in known):,} rows")
    slowest = sorted(known, key=lambda run: -float(run["slowest_seconds"]))[:SLOWEST]
    slowest_calls = ", ".join(f"{run['register_name']} {run['slowest_seconds']:.2f} s" for run in slowest)
    return "\n".join([*lines, f"The slowest calls: {slowest_calls or 'none'}"])
