"""What is known from run to run: where each walk stands, and what each register held when it was last walked.

One SQLite file a service, so that a rehearsal against a stand-in never mixes its ids with the real ones. A write is
durable against kill -9: the system has it; only a power cut may take the last ones.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from conf import Settings
from ingestion.collecting.loopback import is_loopback
from ingestion.core.errors import IngestError

TABLES = """
CREATE TABLE IF NOT EXISTS walks (
    register TEXT PRIMARY KEY, mode TEXT NOT NULL, address TEXT NOT NULL, search_after TEXT NOT NULL,
    head TEXT NOT NULL, until TEXT NOT NULL, pages INTEGER NOT NULL, rows INTEGER NOT NULL, started_on TEXT NOT NULL,
    only TEXT NOT NULL DEFAULT '', is_whole INTEGER NOT NULL DEFAULT 1, total INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS registers (
    register TEXT PRIMARY KEY, head TEXT NOT NULL, rows INTEGER NOT NULL, walked_on TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS versions (
    kind TEXT, key TEXT, mark TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS seen (
    register TEXT, key TEXT, hash TEXT NOT NULL, PRIMARY KEY (register, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS walked (
    load TEXT, register TEXT, day TEXT NOT NULL, PRIMARY KEY (load, register)) WITHOUT ROWID;
"""
ADDED = {
    "only": "TEXT NOT NULL DEFAULT ''", "is_whole": "INTEGER NOT NULL DEFAULT 1", "total": "INTEGER NOT NULL DEFAULT 0",
}  # fmt: skip
"""Columns of `walks` that files of earlier versions lack."""


@dataclass(frozen=True)
class Walk:
    """A walk that is not at its end. `address` is the next page to ask for, `search_after` the cursor in it.

    `head` is the newest id when it began, `until` the id at which it ends, or the day from which changes are asked;
    both are empty where they do not apply. `started_on` is a day, YYYY-MM-DD. `only` names the registers, with commas
    between, whose changes are wanted of a journal; empty means all. `is_whole` is False once something that belongs to
    a page was not answered. `total` are the register's rows as the service counted them, 0 where it did not.
    """

    register: str
    mode: str
    address: str
    search_after: str = ""
    head: str = ""
    until: str = ""
    pages: int = 0
    rows: int = 0
    started_on: str = ""
    only: str = ""
    is_whole: bool = True
    total: int = 0


@dataclass(frozen=True)
class KnownRegister:
    """What a complete walk left: the newest id, the rows of the register then, and the day."""

    register: str
    head: str
    rows: int
    walked_on: str


WALKS = ", ".join(field.name for field in fields(Walk))


def _walk(row: Sequence[Any]) -> Walk:
    walk = Walk(*row)
    return replace(walk, is_whole=bool(walk.is_whole))


class State:
    """The file. Only one process may have it open for writing; the second is refused with a sentence."""

    def __init__(self, path: Path, *, is_dry: bool = False) -> None:
        self.path = path
        self._load, self._today = "", ""
        if is_dry and not path.exists():
            self._base = sqlite3.connect(":memory:", isolation_level=None)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, timeout=0.5, isolation_level=None)
        try:
            if not is_dry:
                # Held until the file is closed: two runs would overtake each other's cursors.
                self._base.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._base.execute("PRAGMA journal_mode = WAL")
                self._base.execute("PRAGMA synchronous = NORMAL")
                self._base.execute("BEGIN IMMEDIATE")
                self._base.execute("COMMIT")
            self._base.executescript(TABLES)
            there = {row[1] for row in self._base.execute("PRAGMA table_info(walks)")}
            for name, kind in ADDED.items():
                if name not in there:
                    self._base.execute(f"ALTER TABLE walks ADD COLUMN {name} {kind}")
            if "only" not in there:
                # Nobody knows whose changes it was for; the next one begins at the day before the last time.
                self._base.execute("DELETE FROM walks WHERE mode = 'changes'")
        except sqlite3.OperationalError as problem:
            self._base.close()
            if "locked" not in str(problem):
                raise IngestError(f"The state of the collection, {path}, cannot be used: {problem}.") from None
            raise IngestError(
                f"Another run of this collection is under way: it holds {path}. Wait for its end, or stop it."
            ) from None
        except sqlite3.DatabaseError as problem:
            self._base.close()
            raise IngestError(
                f"The state of the collection, {path}, is damaged: {problem}. Move it away; the next run then walks "
                "every register from its beginning, which doubles nothing."
            ) from None

    def walk(self, register: str) -> Walk | None:
        stored = self._base.execute(f"SELECT {WALKS} FROM walks WHERE register = ?", [register]).fetchone()
        return _walk(stored) if stored else None

    def walks(self) -> list[Walk]:
        """All that are not at their ends."""
        return [_walk(row) for row in self._base.execute(f"SELECT {WALKS} FROM walks ORDER BY register")]

    def known(self, register: str) -> KnownRegister | None:
        stored = self._base.execute("SELECT * FROM registers WHERE register = ?", [register]).fetchone()
        return KnownRegister(*stored) if stored else None

    def save(self, walk: Walk, seen: Iterable[tuple[str, str]] = ()) -> None:
        """The walk has come so far; `seen` are keys and hashes of rows whose sub-lists are done. Both or neither."""
        values = asdict(walk)
        self._base.execute("BEGIN")
        self._remember(walk.register, seen)
        marks = ", ".join(f":{name}" for name in values)
        self._base.execute(f"INSERT OR REPLACE INTO walks ({WALKS}) VALUES ({marks})", values)
        self._base.execute("COMMIT")

    def finish(self, walk: Walk, known: KnownRegister | None, seen: Iterable[tuple[str, str]] = ()) -> None:
        """The walk is at its end, which is `known` of the register, and of the load under way, from now on."""
        self._base.execute("BEGIN")
        self._remember(walk.register, seen)
        self._base.execute("DELETE FROM walks WHERE register = ?", [walk.register])
        if known:
            self._base.execute(
                "INSERT OR REPLACE INTO registers VALUES (:register, :head, :rows, :walked_on)", asdict(known)
            )
        if self._load and walk.mode == "full" and walk.is_whole:
            marks = (self._load, walk.register, self._today)
            self._base.execute("INSERT OR REPLACE INTO walked VALUES (?, ?, ?)", marks)
        self._base.execute("COMMIT")

    def walked(self, load: str, since: date) -> frozenset[str]:
        """The registers that a load has walked to their ends before it broke off; none where it began before a day."""
        rows = self._base.execute("SELECT register, day FROM walked WHERE load = ?", [load]).fetchall()
        began = min((day for _, day in rows), default="")
        return frozenset(register for register, _ in rows) if began >= since.isoformat() else frozenset()

    def begin(self, load: str, today: date, since: date) -> None:
        """Registers that are walked to their ends count for this load; it goes on if it began on or after a day."""
        if not self.walked(load, since):
            self.end(load)
        self._load, self._today = load, today.isoformat()

    def end(self, load: str) -> None:
        """The next load of this name walks every register again."""
        self._base.execute("DELETE FROM walked WHERE load = ?", [load])

    def hashes(self, register: str, keys: Iterable[str]) -> dict[str, str]:
        """Of rows seen before, the hash each had."""
        stored: dict[str, str] = {}
        for key in keys:
            row = self._base.execute("SELECT hash FROM seen WHERE register = ? AND key = ?", [register, key]).fetchone()
            if row:
                stored[key] = str(row[0])
        return stored

    def marks(self, kind: str, keys: Iterable[str]) -> dict[str, str]:
        """Of rows of a kind that were read before, the mark of the last version."""
        stored: dict[str, str] = {}
        for key in keys:
            row = self._base.execute("SELECT mark FROM versions WHERE kind = ? AND key = ?", [kind, key]).fetchone()
            if row:
                stored[key] = str(row[0])
        return stored

    def mark(self, kind: str, marks: dict[str, str]) -> None:
        """Remember the marks of last versions."""
        if marks:
            self._base.execute("BEGIN")
            rows = ((kind, key, mark) for key, mark in marks.items())
            self._base.executemany("INSERT OR REPLACE INTO versions VALUES (?, ?, ?)", rows)
            self._base.execute("COMMIT")

    def fact(self, name: str) -> str:
        """A fact by its name; empty where it was never noted."""
        stored = self._base.execute("SELECT value FROM facts WHERE name = ?", [name]).fetchone()
        return str(stored[0]) if stored else ""

    def note(self, name: str, value: str) -> None:
        self._base.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", [name, value])

    def close(self) -> None:
        self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _remember(self, register: str, seen: Iterable[tuple[str, str]]) -> None:
        rows = [(register, key, hashed) for key, hashed in seen]
        if rows:
            self._base.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", rows)


def forget(settings: Settings, collection: str) -> list[Path]:
    """Remove the state of a collection, of whatever host. Raises IngestError where a run of it is under way."""
    files = [path for path in _folder(settings).glob("*.sqlite") if path.name.partition(".")[0] == collection]
    for path in files:
        # Held while it is removed, so no run of it can begin on what is going away.
        with State(path):
            for beside in ("", "-wal", "-shm"):
                path.with_name(path.name + beside).unlink(missing_ok=True)
    return files


def _folder(settings: Settings) -> Path:
    return settings.data / "collections"


def state_path(settings: Settings, collection: str, url: str) -> Path:
    """Where the state of a collection from the service at this address lies.

    On this machine each port is a service of its own: stand-ins of two worlds share no ids.
    """
    address = urlsplit(url)
    host = address.hostname or "unknown"
    if is_loopback(host) and address.port:
        host = f"{host}-{address.port}"
    host = host.replace(":", "-").replace(os.sep, "-")
    return _folder(settings) / f"{collection}.{host}.sqlite"
