"""What the shop's database shows at one moment, and from which moment on the next look must begin.

A row's `updated_at` is set when it is written, and seen by others only when its transaction commits, which may be much
later. Whoever asks for "changed since the last look" would never see such a row. So the next look begins where the
oldest transaction began that was open at this one: a change that this look does not see was made by a transaction that
was open then, or by one that began afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import IsolationLevel, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from conf import Settings
from conf.connect import postgres
from conf.postgres_values import tolerate
from ingestion.core.errors import IngestError
from schemas.contract import Contract

if TYPE_CHECKING:
    from psycopg import Connection

ROWS_AT_ONCE = 5_000
# In this order: a transaction that the second does not show changes nothing before the first.
NOW = "SELECT clock_timestamp()"
OPEN = """
SELECT min(xact_start), count(*) FILTER (WHERE state IS NULL)
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Snapshot:
    """Every question asked of it sees the same. Changes before `complete_until` are all in it."""

    connection: Connection
    taken_at: datetime
    complete_until: datetime

    def rows(self, contract: Contract, since: datetime | None) -> Iterator[dict[str, Any]]:
        """The table's rows in the order of their key, all or those changed since; never held all at once."""
        columns = sql.SQL(", ").join(sql.Identifier(c) for c in contract.columns)
        (key,) = contract.key
        table = sql.Identifier(*contract.name.split("."))
        where = sql.SQL("WHERE updated_at >= {}").format(since) if since else sql.SQL("")
        # By bytes, as Python sorts texts.
        order = sql.SQL('ORDER BY {} COLLATE "C"').format(sql.Identifier(key))
        with self.connection.cursor(name="stage", row_factory=dict_row) as cursor:
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(sql.SQL("SELECT {} FROM {} {} {}").format(columns, table, where, order))
            yield from cursor


@contextmanager
def database(settings: Settings) -> Iterator[Connection]:
    """The shop's database. Raises IngestError, in a sentence, where it does not answer or is not migrated."""
    try:
        with postgres(settings, autocommit=True) as connection:
            tolerate(connection)
            yield connection
    except psycopg.errors.UndefinedTable as problem:
        missing = str(problem).splitlines()[0]
        raise IngestError(
            f"The shop's database is not migrated ({missing}): python -m infra.postgres upgrade"
        ) from None
    except psycopg.OperationalError as problem:
        parameters = conninfo_to_dict(settings.postgres)
        reason = " ".join(str(problem).split())
        raise IngestError(
            f"PostgreSQL at {parameters.get('host')}:{parameters.get('port', 5432)} failed: {reason}. "
            "./start.sh starts it; SAUDA_POSTGRES_URL names another."
        ) from None


@contextmanager
def snapshot(connection: Connection) -> Iterator[Snapshot]:
    """What the database shows now. Raises IngestError where other sessions are hidden from this user."""
    (now,) = _row(connection, NOW)
    oldest, hidden = _row(connection, OPEN)
    if hidden:
        raise IngestError(
            f"PostgreSQL hides {hidden} sessions of other users from {connection.info.user}, so it cannot be known "
            f"which changes are still to be committed: GRANT pg_read_all_stats TO {connection.info.user}"
        )
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    with connection.transaction():
        (taken_at,) = _row(connection, NOW)
        yield Snapshot(connection, taken_at, min(now, oldest or now))


def _row(connection: Connection, question: str) -> tuple[Any, ...]:
    answer = connection.execute(question).fetchone()
    assert answer is not None
    return tuple(answer)


def later(moment: datetime, before: datetime | None) -> datetime:
    """The moment, or an instant after `before`: snapshots have an order, whatever becomes of the server's clock."""
    return moment if before is None else max(moment, before + timedelta(microseconds=1))
