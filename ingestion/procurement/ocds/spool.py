"""Releases on disk, in an order that brings those of one process together; and the shared parties, each once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from typing import Any

from ingestion.core.errors import IngestError
from ingestion.procurement.ocds.releases import Release
from ingestion.procurement.ocds.shape import decoded, encoded

TABLES = """
CREATE TABLE releases (
    place INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, ocid TEXT NOT NULL, is_compiled INTEGER NOT NULL,
    date TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE parties (
    party_id TEXT PRIMARY KEY, roles INTEGER NOT NULL, date TEXT NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID
"""
CACHE_KIB = 16_000
SAMPLED = """
WHERE ocid IN (
    SELECT ocid FROM (
        SELECT ocid, row_number() OVER (ORDER BY ocid) AS number FROM (SELECT DISTINCT ocid FROM releases)
    ) WHERE number % ? = 0
)"""


class Spool:
    """A database of its own, which lies in a temporary file and goes with the process.

    The same release, found twice, is one: merging it twice would double what has no id in it.
    """

    def __init__(self) -> None:
        # No name: SQLite makes a temporary file, and keeps of it in memory what the cache takes.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{CACHE_KIB}; {TABLES}"
        )

    def add(self, release: Release) -> None:
        """Raises RecursionError where it is nested too deeply to be written."""
        body = encoded(release.body)
        digest = blake2b(body, digest_size=12, key=b"compiled" if release.is_compiled else b"").hexdigest()
        self._run(
            "INSERT OR IGNORE INTO releases (digest, ocid, is_compiled, date, body) VALUES (?, ?, ?, ?, ?)",
            (digest, release.ocid, release.is_compiled, release.date, body),
        )

    def mark(self) -> int:
        """The place that releases have reached."""
        ((place,),) = self._run("SELECT coalesce(max(place), 0) FROM releases")
        return int(place)

    def discard(self, mark: int) -> None:
        """Take out what came after a mark."""
        self._run("DELETE FROM releases WHERE place > ?", (mark,))

    def ready(self) -> tuple[int, int]:
        """To be called when all are there: how many releases, and of how many processes."""
        self._run("CREATE INDEX IF NOT EXISTS by_process ON releases (ocid, place)")
        (counts,) = self._run("SELECT count(*), count(DISTINCT ocid) FROM releases")
        return counts[0], counts[1]

    def processes(self, every: int = 1) -> Iterator[tuple[str, int, list[tuple[str, Release]]]]:
        """Each process: its ocid, how many bytes its releases take, and these with their digests, as they were given.

        With `every`, only one in so many processes is given.
        """
        where, given = (SAMPLED, (every,)) if every > 1 else ("", ())
        rows = self._run(
            f"SELECT ocid, digest, is_compiled, date, body FROM releases {where} ORDER BY ocid, place", given
        )
        for ocid, group in groupby(rows, itemgetter(0)):
            size, releases = 0, []
            for _, digest, is_compiled, date, body in group:
                size += len(body)
                releases.append((digest, Release(ocid, date, bool(is_compiled), decoded(body))))
            yield ocid, size, releases

    def add_party(self, party_id: str, roles: int, date: str, body: dict[str, Any]) -> None:
        """Of one party the newest words stay, where these say nothing the older ones, and all roles."""
        known = self._run("SELECT roles, date, body FROM parties WHERE party_id = ?", (party_id,)).fetchone()
        if known:
            one = together((known[0], known[1], decoded(known[2])), (roles, date, body))
            roles, date, body = one
        self._run("INSERT OR REPLACE INTO parties VALUES (?, ?, ?, ?)", (party_id, roles, date, encoded(body)))

    def parties(self) -> Iterator[tuple[str, int, str, bytes]]:
        """Id, roles, date and body of each party, by id."""
        yield from self._run("SELECT party_id, roles, date, body FROM parties ORDER BY party_id")

    def forget_parties(self) -> None:
        self._run("DELETE FROM parties")

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, values)
        except sqlite3.Error as problem:
            raise IngestError(
                f"The releases cannot be put on disk: {problem}. About as much room is needed as the files take "
                "unpacked, where temporary files lie; TMPDIR names another folder for them."
            ) from None


PartyVersion = tuple[int, str, dict[str, Any]]
"""Roles, date and words of a party."""


def together(known: PartyVersion, version: PartyVersion) -> PartyVersion:
    """What is known of a party with what was told later; of the same date the later one holds."""
    older, newer = (known, version) if version[1] >= known[1] else (version, known)
    return (
        known[0] | version[0],
        newer[1],
        older[2] | {name: part for name, part in newer[2].items() if part is not None},
    )
