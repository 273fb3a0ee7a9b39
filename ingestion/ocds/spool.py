"""Releases on disk, in an order that brings those of one process together; and the parties, each once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from hashlib import blake2b
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import msgspec

from ingestion.ocds.releases import Release

TABLES = """
CREATE TABLE releases (
    digest BLOB PRIMARY KEY, ocid TEXT NOT NULL, is_compiled INTEGER NOT NULL, date TEXT NOT NULL,
    place INTEGER NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE parties (
    party_id TEXT PRIMARY KEY, roles INTEGER NOT NULL, date TEXT NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID
"""
_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Spool:
    """A database of its own, which lies in a temporary file and goes with the process.

    The same release, found twice, is one: merging it twice would double what has no id in it.
    """

    def __init__(self) -> None:
        # No name: SQLite makes a temporary file and keeps 2 MB of it in memory.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {TABLES}")
        self._place = 0

    def add(self, release: Release) -> None:
        """Raises RecursionError where it is nested too deeply to be written."""
        body = _encode(release.body)
        digest = blake2b(body, digest_size=16, key=b"compiled" if release.is_compiled else b"").digest()
        self._place += 1
        self._db.execute(
            "INSERT OR IGNORE INTO releases VALUES (?, ?, ?, ?, ?, ?)",
            (digest, release.ocid, release.is_compiled, release.date, self._place, body),
        )

    def ready(self) -> tuple[int, int]:
        """To be called when all are there: how many releases, and of how many processes."""
        self._db.execute("CREATE INDEX by_process ON releases (ocid, is_compiled, date, place)")
        (counts,) = self._db.execute("SELECT count(*), count(DISTINCT ocid) FROM releases")
        return counts[0], counts[1]

    def processes(self, most: int | None = None) -> Iterator[tuple[bool, list[dict[str, Any]]]]:
        """Releases of one process that are to be merged, in the order of their dates; each compiled one alone.

        `most` processes are given, the first by their ocid.
        """
        rows = self._db.execute("SELECT ocid, is_compiled, body FROM releases ORDER BY ocid, is_compiled, date, place")
        for _, process in islice(groupby(rows, itemgetter(0)), most):
            for is_compiled, group in groupby(process, itemgetter(1)):
                bodies = (_decode(body) for _, _, body in group)
                if is_compiled:
                    yield from ((True, [body]) for body in bodies)
                else:
                    yield False, list(bodies)

    def add_party(self, party_id: str, roles: int, date: str, body: bytes) -> None:
        """Of one party the newest body stays, and all roles."""
        self._db.execute(
            "INSERT INTO parties VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET roles = roles | excluded.roles, "
            "body = iif(excluded.date >= date, excluded.body, body), date = max(date, excluded.date)",
            (party_id, roles, date, body),
        )

    def parties(self) -> Iterator[tuple[str, int, str, bytes]]:
        """Id, roles, date and body of each party, by id."""
        yield from self._db.execute("SELECT party_id, roles, date, body FROM parties ORDER BY party_id")

    def forget_parties(self) -> None:
        self._db.execute("DELETE FROM parties")
