"""Releases on disk, in an order that brings those of one process together; and the parties, each once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from ingestion.errors import IngestError
from ingestion.ocds.releases import Release

TABLES = """
CREATE TABLE releases (
    place INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, ocid TEXT NOT NULL, is_compiled INTEGER NOT NULL,
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
_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


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
        body = _encode(release.body)
        digest = blake2b(body, digest_size=16, key=b"compiled" if release.is_compiled else b"").digest()
        self._run(
            "INSERT OR IGNORE INTO releases (digest, ocid, is_compiled, date, body) VALUES (?, ?, ?, ?, ?)",
            (digest, release.ocid, release.is_compiled, release.date, body),
        )

    def ready(self) -> tuple[int, int]:
        """To be called when all are there: how many releases, and of how many processes."""
        self._run("CREATE INDEX by_process ON releases (ocid, is_compiled, date, place)")
        (counts,) = self._run("SELECT count(*), count(DISTINCT ocid) FROM releases")
        return counts[0], counts[1]

    def processes(self, every: int = 1) -> Iterator[tuple[bool, list[dict[str, Any]]]]:
        """Releases of one process that are to be merged, in the order of their dates; each compiled one alone.

        With `every`, only one in so many processes is given.
        """
        where, given = (SAMPLED, (every,)) if every > 1 else ("", ())
        order = "ORDER BY ocid, is_compiled, date, place"
        rows = self._run(f"SELECT ocid, is_compiled, body FROM releases {where} {order}", given)
        for (_, is_compiled), group in groupby(rows, itemgetter(0, 1)):
            bodies = (_decode(body) for _, _, body in group)
            if is_compiled:
                yield from ((True, [body]) for body in bodies)
            else:
                yield False, list(bodies)

    def add_party(self, party_id: str, roles: int, date: str, body: bytes) -> None:
        """Of one party the newest body stays, and all roles."""
        self._run(
            "INSERT INTO parties VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET roles = roles | excluded.roles, "
            "body = iif(excluded.date >= date, excluded.body, body), date = max(date, excluded.date)",
            (party_id, roles, date, body),
        )

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
