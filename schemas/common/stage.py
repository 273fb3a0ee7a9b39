"""Where what is staged lies in the bucket, and which of its files count."""

from __future__ import annotations

import re
from collections.abc import Iterable


def prefix(table: str) -> str:
    """Where a staged table lies in the bucket: the runs' folders and the state."""
    return f"stage/{table}/"


def run_file(table: str, run_no: int) -> str:
    """The file of one run. Named by the run's number, so that a run that is done again overwrites its own."""
    return f"{prefix(table)}run={run_no:08d}/rows.parquet"


def state_name(table: str) -> str:
    """What is known from run to run. A run counts when it stands here: `run_no` is the last that is finished."""
    return f"{prefix(table)}state.json"


def finished_files(table: str, names: Iterable[str], last_run: int) -> list[str]:
    """Of object names those of finished runs, in their order; a run that was cut off is not there yet."""
    return [name for name in sorted(names) if 0 < run_of(table, name) <= last_run]


def run_of(table: str, name: str) -> int:
    """The run of an object name; 0 for what belongs to none."""
    match = re.fullmatch(re.escape(prefix(table)) + r"run=(\d{8})/rows[.]parquet", name)
    return int(match[1]) if match else 0
