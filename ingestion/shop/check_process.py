"""Reading a dropped file against its contract, in a process of its own: whatever is in it, it takes nobody along.

A file of some kilobytes can unpack to more than a machine has, and which one will is not known before. So the process
that reads has a bound on its memory. That it is reached, or that the process dies of anything else, is a finding.
"""

from __future__ import annotations

import resource
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.shop.check import FILE, Check, Finding, Findings
from ingestion.shop.files import is_tabular, rows
from ingestion.shop.stage import content_hash, schema, write_parquet
from schemas.contract import contract
from schemas.shop.stage import ProductsStaged

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

STAGED = contract(ProductsStaged)
CONTENT = [c.name for c in STAGED.columns if c in FILE.columns and c not in STAGED.key]


@dataclass(frozen=True)
class Dropped:
    """A file to be read, and where its rows go, as those of a run. `zone` is that of its times that name none."""

    file: Path
    name: str
    dropped_at: datetime
    most_bytes: int
    run_no: int
    ready: Path
    zone: str = "UTC"


@dataclass(frozen=True)
class CheckedFile:
    """How many rows were read, and all that is wrong. Only a file without findings is ready."""

    rows: int
    findings: Findings


def check_file(dropped: Dropped) -> CheckedFile:
    """Read the file to its end, and write what is sound."""
    check = Check(dropped.dropped_at, is_tabular(dropped.name))
    read = check.typed(rows(dropped.file, dropped.name, dropped.most_bytes, dropped.zone))
    try:
        write_parquet(dropped.ready, schema(STAGED), (_staged(row, dropped) for row in read))
        if not check.findings.by_rule and (suspects := check.suspects()):
            check.name_twins(rows(dropped.file, dropped.name, dropped.most_bytes, dropped.zone), suspects)
    except (ArithmeticError, ValueError, TypeError, RecursionError) as problem:
        # Whatever nobody thought of: the files behind this one are not to wait for it night after night.
        sentence = f"row {check.rows:,} cannot be read: {type(problem).__name__}, {problem}"
        check.findings.add(Finding(0, "", "file.unreadable", sentence[:500]))
    return CheckedFile(check.rows, check.findings)


@dataclass(frozen=True)
class CheckProcess:
    """Reads in a process that may take so many bytes of memory."""

    most_memory: int

    def __call__(self, dropped: Dropped) -> CheckedFile:
        """What `check_file` says, or that the process did not come to its end."""
        context = get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_child, args=(sender, dropped, self.most_memory), daemon=True)
        child.start()
        sender.close()
        try:
            result: CheckedFile | None = receiver.recv()
        except EOFError:
            result = None
        receiver.close()
        child.join()
        if result is None:
            findings = Findings()
            sentence = (
                f"the file cannot be read within {self.most_memory >> 20:,} MB of memory (its reader ended with "
                f"{child.exitcode}): does a row or a column hold far more than it should?"
            )
            findings.add(Finding(0, "", "file.unreadable", sentence))
            result = CheckedFile(0, findings)
        return result


def _child(answer: Connection, dropped: Dropped, most_memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, allowed = resource.getrlimit(resource.RLIMIT_AS)
    # A shell that grants less (ulimit -v) has the last word.
    most = most_memory if allowed == resource.RLIM_INFINITY else min(most_memory, allowed)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    try:
        answer.send(check_file(dropped))
    except MemoryError:
        # To say so would take memory too.
        answer.close()


def _staged(row: dict[str, Any], dropped: Dropped) -> dict[str, Any]:
    content = {column: row[column] for column in CONTENT}
    if content["is_active"] is None:
        content["is_active"] = True
    return {
        "run_no": dropped.run_no, "content_hash": content_hash(content.values()), "product_id": row["product_id"],
        "valid_from": row["changed_at"] or dropped.dropped_at, "source": dropped.name, **content,
    }  # fmt: skip
