"""What becomes of a file of products that was dropped into the bucket.

    stage/incoming/products/FILE ─┬─ sound ──► stage/products/run=…/ ──► stage/archive/products/
                                  └─ not ────► stage/rejected/products/FILE, .report.json, .report.txt

A file is taken whole or not at all. Killed anywhere, the next run does the same file again, to the same end.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ingestion.shop import report
from ingestion.shop.bucket import Bucket, Found
from ingestion.shop.check import FILE, Check, Finding
from ingestion.shop.files import Unfit, check_name, is_tabular, rows
from ingestion.shop.stage import content_hash, finish, read_state, schema, write_parquet
from schemas.contract import contract
from schemas.shop.stage import ProductsStaged, run_file

INCOMING, ARCHIVE, REJECTED = (f"stage/{place}/products/" for place in ("incoming", "archive", "rejected"))
STAGED = contract(ProductsStaged)
CONTENT = [c.name for c in STAGED.columns if c in FILE.columns and c not in STAGED.key]


@dataclass(frozen=True)
class Outcome:
    """What became of a file: `staged`, `seen` before and therefore left out, or `rejected`."""

    file: str
    became: Literal["staged", "seen", "rejected"]
    sentence: str
    rows: int = 0
    run_no: int = 0


@dataclass(frozen=True)
class Desk:
    """Takes one file after the other. `most_bytes` is the size of the largest that is read."""

    bucket: Bucket
    folder: Path
    most_bytes: int

    def waiting(self) -> list[Found]:
        """The files that wait, those that were dropped first in front. A folder's own mark is no file."""
        found = [f for f in self.bucket.found(INCOMING) if not (f.name.endswith("/") and not f.size)]
        return sorted(found, key=lambda f: (f.changed_at, f.name))

    def take(self, file: Found) -> Outcome:
        """Stage a file, or refuse it. Doing it again comes to the same end."""
        name, check = file.name.removeprefix(INCOMING), Check(file.changed_at, is_tabular(file.name))
        try:
            check_name(name)
            if not file.size:
                raise Unfit("file.empty", "the file is empty")
            if file.size > self.most_bytes:
                raise Unfit(
                    "file.size", f"the file has {file.size:,} bytes; at most {self.most_bytes:,} are read, split it"
                )
        except Unfit as problem:
            check.findings.add(Finding(0, "", problem.rule, str(problem)))
            return self._reject(file, name, check, "")
        here = self.folder / "dropped"
        self.bucket.download(file.name, here)
        with here.open("rb") as body:
            digest = hashlib.file_digest(body, "sha256").hexdigest()
        state = read_state(self.bucket, STAGED.table)
        if state.last_file == digest or self.bucket.found(_archived(digest)):
            self._archive(file, digest, name)
            return Outcome(name, "seen", "the same content was taken before, so nothing changes")
        run_no = state.run_no + 1
        read = check.typed(rows(here, name, self.most_bytes))
        ready = self.folder / "ready.parquet"
        write_parquet(ready, schema(STAGED), (_staged(row, run_no, file.changed_at, name) for row in read))
        if not check.findings.by_rule and (suspects := check.suspects()):
            check.name_twins(rows(here, name, self.most_bytes), suspects)
        if check.findings.by_rule:
            return self._reject(file, name, check, digest)
        self.bucket.upload(run_file(STAGED.table, run_no), ready)
        # Nothing is compared with the files before: none of them is needed once it is loaded.
        finish(self.bucket, STAGED.table, replace(state, run_no=run_no, full_run=run_no, last_file=digest))
        self._archive(file, digest, name)
        return Outcome(name, "staged", f"{check.rows:,} rows in run {run_no}", check.rows, run_no)

    def _archive(self, file: Found, digest: str, name: str) -> None:
        self.bucket.copy(file.name, f"{_archived(digest)}{name}")
        self.bucket.remove(file.name)

    def _reject(self, file: Found, name: str, check: Check, digest: str) -> Outcome:
        # By the time of its drop and not by the time of day: done again, it has the same name.
        safe = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")[-100:] or "unnamed"
        target = f"{REJECTED}{file.changed_at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{safe}"
        told = report.as_json(name, file.size, digest, check.rows, file.changed_at, check.findings)
        self.bucket.write(f"{target}.report.json", told)
        self.bucket.write(f"{target}.report.txt", report.as_text(name, check.rows, check.findings).encode())
        self.bucket.copy(file.name, target)
        self.bucket.remove(file.name)
        return Outcome(name, "rejected", f"{check.findings.listed[0]}; report: {target}.report.txt", check.rows)


def _archived(digest: str) -> str:
    return f"{ARCHIVE}{digest[:32]}-"


def _staged(row: dict[str, Any], run_no: int, dropped_at: datetime, name: str) -> dict[str, Any]:
    content = {column: row[column] for column in CONTENT}
    if content["is_active"] is None:
        content["is_active"] = True
    return {
        "run_no": run_no, "content_hash": content_hash(content.values()), "product_id": row["product_id"],
        "valid_from": row["changed_at"] or dropped_at, "source": name, **content,
    }  # fmt: skip
