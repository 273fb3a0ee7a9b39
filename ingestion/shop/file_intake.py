"""What becomes of a file of products that was dropped into the bucket.

    stage/incoming/products/FILE ─┬─ sound ──► stage/products/run=…/ ──► stage/archive/products/
                                  └─ not ────► stage/rejected/products/FILE, .report.json, .report.txt

A file is taken whole or not at all. Killed anywhere, the next run does the same file again, to the same end.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from ingestion.shop import report
from ingestion.shop.bucket import Bucket, StoredObject
from ingestion.shop.check import Finding, Findings
from ingestion.shop.check_process import STAGED, CheckedFile, Dropped, check_file
from ingestion.shop.file_faults import FileRefused
from ingestion.shop.files import check_name
from ingestion.shop.stage import finish, read_state
from schemas.common.stage import run_file

INCOMING, ARCHIVE, REJECTED = (f"stage/{place}/products/" for place in ("incoming", "archive", "rejected"))


@dataclass(frozen=True)
class Outcome:
    """What became of a file: `staged`, `seen` before and therefore left out, `rejected`, or `replaced` by another."""

    file: str
    became: Literal["staged", "seen", "rejected", "replaced"]
    sentence: str
    rows: int = 0
    run_no: int = 0


@dataclass(frozen=True)
class FileIntake:
    """Takes one file after the other. `most_bytes` is the size of the largest, `zone` that of times that name none."""

    bucket: Bucket
    folder: Path
    most_bytes: int
    check: Callable[[Dropped], CheckedFile] = check_file
    zone: str = "UTC"

    def waiting(self) -> list[StoredObject]:
        """The files that wait, those that were dropped first in front. A folder's own mark is no file."""
        objects = [f for f in self.bucket.list_objects(INCOMING) if not (f.name.endswith("/") and not f.size)]
        return sorted(objects, key=lambda f: (f.changed_at, f.name))

    def take(self, file: StoredObject) -> Outcome:
        """Stage a file, or refuse it. Doing it again comes to the same end."""
        name = file.name.removeprefix(INCOMING)
        try:
            check_name(name)
            if not file.size:
                raise FileRefused("file.empty", "the file is empty")
            if file.size > self.most_bytes:
                raise FileRefused(
                    "file.size", f"the file has {file.size:,} bytes; at most {self.most_bytes:,} are read, split it"
                )
        except FileRefused as problem:
            findings = Findings()
            findings.add(Finding(0, "", problem.rule, str(problem)))
            return self._reject(file, name, CheckedFile(0, findings), "")
        local_file = self.folder / "dropped"
        if not self.bucket.download_same(file, local_file):
            # Its size was not judged, and another file may be as large as it likes.
            return Outcome(name, "replaced", "another was dropped in its place meanwhile; the next run takes that")
        with local_file.open("rb") as body:
            digest = hashlib.file_digest(body, "sha256").hexdigest()
        state = read_state(self.bucket, STAGED.table)
        if state.last_file == digest or self.bucket.list_objects(_archived(digest)):
            self._archive(file, local_file, digest, name)
            return Outcome(name, "seen", "the same content was taken before, so nothing changes")
        run_no, ready = state.run_no + 1, self.folder / "ready.parquet"
        read = self.check(Dropped(local_file, name, file.changed_at, self.most_bytes, run_no, ready, self.zone))
        if read.findings.by_rule:
            return self._reject(file, name, read, digest)
        self.bucket.upload(run_file(STAGED.table, run_no), ready)
        # Nothing is compared with the files before: none of them is needed once it is loaded.
        finish(self.bucket, STAGED.table, replace(state, run_no=run_no, full_run=run_no, last_file=digest))
        self._archive(file, local_file, digest, name)
        return Outcome(name, "staged", f"{read.rows:,} rows in run {run_no}", read.rows, run_no)

    def forget(self, before: datetime) -> int:
        """Remove refused files, and the content of archived ones, that are older; returns how many.

        Of an archived file the name stays, by which the same content is known when it is dropped again.
        """
        old = [f for f in self.bucket.list_objects(REJECTED) if f.changed_at < before]
        for file in old:
            self.bucket.remove(file.name)
        taken = [f for f in self.bucket.list_objects(ARCHIVE) if f.changed_at < before and f.size]
        for file in taken:
            self.bucket.write(file.name, b"")
        return len(old) + len(taken)

    def _archive(self, file: StoredObject, local_file: Path, digest: str, name: str) -> None:
        # What was read, and not what may have been dropped under the name meanwhile: that waits for the next run.
        self.bucket.upload(f"{_archived(digest)}{name}", local_file)
        self.bucket.remove_if_same(file)

    def _reject(self, file: StoredObject, name: str, read: CheckedFile, digest: str) -> Outcome:
        # By the time of its drop and not by the time of day: done again, it has the same name.
        safe = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")[-100:] or "unnamed"
        target = f"{REJECTED}{file.changed_at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{safe}"
        report_json = report.as_json(name, file.size, digest, read.rows, file.changed_at, read.findings)
        self.bucket.write(f"{target}.report.json", report_json)
        self.bucket.write(f"{target}.report.txt", report.as_text(name, read.rows, read.findings).encode())
        with suppress(ValueError):
            # The client takes no key with a folder called . or .., to copy or to remove: then the report is all.
            self.bucket.copy(file.name, target)
            self.bucket.remove_if_same(file)
        return Outcome(name, "rejected", f"{read.findings.listed[0]}; report: {target}.report.txt", read.rows)


def _archived(digest: str) -> str:
    return f"{ARCHIVE}{digest[:32]}-"
