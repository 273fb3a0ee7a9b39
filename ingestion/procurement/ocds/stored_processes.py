"""Where it is kept what is known of processes and of organisations, between one load and the next: PostgreSQL.

It is not with the machine that loads: another one goes on from it. The releases are there before anything is sent, so
that a load which was broken off is completed by the next one of the same process, whatever that one brings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from conf import Settings
from conf.connect import postgres
from ingestion.core.errors import IngestError

if TYPE_CHECKING:
    from psycopg import Connection

LOCK = 0x5A0D_0CD5
"""First half of the advisory lock that a load of a collection holds."""


@dataclass(frozen=True, slots=True)
class StoredParty:
    """An organisation of several processes: all its roles, and the newest of what was told of it."""

    roles: int
    date: str
    body: bytes


class StoredProcesses(Protocol):
    """What is known of one collection. Raises IngestError where it cannot be read or kept."""

    def processes(self, ocids: Sequence[str]) -> dict[str, bytes]: ...

    def keep(self, processes: Mapping[str, bytes]) -> None: ...

    def parties(self, ids: Sequence[str]) -> dict[str, StoredParty]: ...

    def keep_parties(self, parties: Mapping[str, StoredParty]) -> None: ...

    def close(self) -> None: ...


class NothingStored:
    """Keeps nothing, as for a file that is only looked at."""

    def processes(self, ocids: Sequence[str]) -> dict[str, bytes]:  # noqa: ARG002
        return {}

    def keep(self, processes: Mapping[str, bytes]) -> None: ...

    def parties(self, ids: Sequence[str]) -> dict[str, StoredParty]:  # noqa: ARG002
        return {}

    def keep_parties(self, parties: Mapping[str, StoredParty]) -> None: ...

    def close(self) -> None: ...


class PostgresProcesses:
    """A collection's rows in the schema ``ocds``; one load of a collection at a time has them."""

    def __init__(self, settings: Settings, collection: str) -> None:
        self._collection = collection
        with _database_errors():
            self._db = _connected(settings)
            taken = self._db.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (LOCK, collection)).fetchone()
        if taken is None or not taken[0]:
            self.close()
            raise IngestError(f"Another command loads {collection} right now. Wait until it has ended, and try again.")

    def processes(self, ocids: Sequence[str]) -> dict[str, bytes]:
        """By ocid, what `keep` was given."""
        ask = "SELECT ocid, state FROM ocds.processes WHERE collection = %s AND ocid = ANY(%s)"
        with _database_errors():
            return {ocid: bytes(state) for ocid, state in self._db.execute(ask, (self._collection, list(ocids)))}

    def keep(self, processes: Mapping[str, bytes]) -> None:
        """All of them, or none."""
        self._put(
            "INSERT INTO ocds.processes (collection, ocid, state) VALUES (%s, %s, %s) "
            "ON CONFLICT (collection, ocid) DO UPDATE SET state = excluded.state",
            [(self._collection, ocid, state) for ocid, state in processes.items()],
        )

    def parties(self, ids: Sequence[str]) -> dict[str, StoredParty]:
        """By id, what `keep_parties` was given."""
        ask = "SELECT party_id, roles, date, body FROM ocds.parties WHERE collection = %s AND party_id = ANY(%s)"
        with _database_errors():
            rows = self._db.execute(ask, (self._collection, list(ids)))
            return {party: StoredParty(roles, date, bytes(body)) for party, roles, date, body in rows}

    def keep_parties(self, parties: Mapping[str, StoredParty]) -> None:
        """All of them, or none."""
        self._put(
            "INSERT INTO ocds.parties (collection, party_id, roles, date, body) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (collection, party_id) DO UPDATE "
            "SET roles = excluded.roles, date = excluded.date, body = excluded.body",
            [(self._collection, party, one.roles, one.date, one.body) for party, one in parties.items()],
        )

    def close(self) -> None:
        """Let the next load have it; a process that ends does, too."""
        self._db.close()

    def _put(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        with _database_errors(), self._db.transaction(), self._db.cursor() as cursor:
            cursor.executemany(statement, rows)


def forget(settings: Settings, collection: str) -> int:
    """Forget a collection; how many processes were known. Raises IngestError."""
    known = PostgresProcesses(settings, collection)
    with _database_errors(), known._db.transaction():
        known._db.execute("DELETE FROM ocds.parties WHERE collection = %s", (collection,))
        gone = known._db.execute("DELETE FROM ocds.processes WHERE collection = %s", (collection,)).rowcount
    known.close()
    return gone


def _connected(settings: Settings) -> Connection[Any]:
    return postgres(settings, autocommit=True)


@contextmanager
def _database_errors() -> Iterator[None]:
    import psycopg

    try:
        yield
    except psycopg.errors.UndefinedTable:
        raise IngestError("PostgreSQL lacks the tables of what is known of processes. ./start.sh makes them.") from None
    except psycopg.Error as problem:
        raise IngestError(
            f"PostgreSQL, which keeps what is known of processes, does not answer: {str(problem).splitlines()[0]}. "
            "Start it with ./start.sh, or see to SAUDA_POSTGRES_URL."
        ) from None
