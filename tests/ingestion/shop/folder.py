"""A bucket in a folder of this machine, which can be told to break off."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from ingestion.shop.bucket import StoredObject
from ingestion.shop.stage import read_state
from schemas.common.stage import finished_files, prefix
from schemas.derive.fakes import Row

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Killed(BaseException):
    """As after kill -9: nothing is tidied up."""


@dataclass
class FolderBucket:
    """Objects are files. `left` is how many changes it still takes; the one after them kills the process.

    Objects are as old as the order in which they came: seconds after noon.
    """

    folder: Path
    left: int = 10**9
    times: dict[str, datetime] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def read(self, name: str) -> bytes | None:
        file = self.folder / name
        return file.read_bytes() if file.is_file() else None

    def write(self, name: str, body: bytes) -> None:
        self._changed(f"write {name}")
        self._path(name).write_bytes(body)

    def upload(self, name: str, file: Path) -> None:
        self._changed(f"write {name}")
        shutil.copy(file, self._path(name))

    def download(self, name: str, file: Path) -> None:
        shutil.copy(self.folder / name, file)

    def download_same(self, file: StoredObject, target: Path) -> bool:
        is_same = any(now.name == file.name and now.etag == file.etag for now in self.list_objects(file.name))
        if is_same:
            self.download(file.name, target)
        return is_same

    def list_objects(self, prefix: str) -> list[StoredObject]:
        files = sorted(f for f in self.folder.rglob("*") if f.is_file())
        named = ((f.relative_to(self.folder).as_posix(), f.read_bytes()) for f in files)
        return [
            StoredObject(name, len(body), self.times.get(name, BEGAN), hashlib.md5(body).hexdigest())
            for name, body in named
            if name.startswith(prefix)
        ]

    def copy(self, source: str, target: str) -> None:
        self._changed(f"copy {target}")
        shutil.copy(self.folder / source, self._path(target))

    def remove(self, name: str) -> None:
        self._changed(f"remove {name}")
        (self.folder / name).unlink(missing_ok=True)

    def remove_if_same(self, file: StoredObject) -> None:
        if file.etag in {stored.etag for stored in self.list_objects(file.name) if stored.name == file.name}:
            self.remove(file.name)

    def names(self, prefix: str = "") -> list[str]:
        return [stored.name for stored in self.list_objects(prefix)]

    def staged(self, table: str) -> list[Row]:
        """The rows that the batch driver would see."""
        finished = finished_files(table, self.names(prefix(table)), read_state(self, table).run_no)
        return [row for name in finished for row in pq.ParquetFile(self.folder / name).read().to_pylist()]

    def _path(self, name: str) -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        self.times.setdefault(name, BEGAN + timedelta(seconds=len(self.times)))
        return file

    def _changed(self, what: str) -> None:
        if not self.left:
            raise Killed(what)
        self.left -= 1
        self.done.append(what)
