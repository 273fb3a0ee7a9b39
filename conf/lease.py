"""The right to write the lake's tables: one process a kind and domain, on whatever machine and checkout it runs.

Delta on S3 loses data when two processes commit to one table. The stream writes bronze, silver and quarantine, jobs
write what a night makes. Of each kind, one process at a time may write a domain's tables: it holds locks of
PostgreSQL's for as long as its session lasts, a shared one of the kind and an exclusive one of each of its domains. A
process that needs all domains holds the kind's lock exclusively. Lock files come first: they need no server, and refuse
what is on the same stack at once.

The lock is named after the warehouse and not after its address, which differs from machine to machine. So a small
object beside the tables names both the warehouse and the database in which its writers meet.

Where PostgreSQL goes away afterwards, the holder goes on, since nobody else can take what the server gives; it asks
each second, and takes the lock again. Found in other hands, it is lost for good: whoever took it needs several
seconds before its first commit, by which time this one has ended.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import socket
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

import orjson
import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL

from conf.connect import postgres, s3
from conf.file_lock import UNNAMED, Taken, free, take
from conf.settings import Settings

if TYPE_CHECKING:
    from psycopg import Connection

log = logging.getLogger("sauda.lease")

Kind = Literal["stream", "jobs"]
PATIENCE: dict[Kind, float] = {"stream": 60.0, "jobs": 10.0}
"""Seconds for PostgreSQL to answer at the start. A stream often starts beside it."""
POLL_SECONDS = 1.0
LONGEST_NAME = 63
"""PostgreSQL cuts off the rest of an `application_name`."""
WRITERS = "_writers.json"
HOLDER = """
SELECT s.pid, coalesce(s.application_name, ''),
  coalesce(to_char(s.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), '')
FROM pg_locks AS l JOIN pg_stat_activity AS s USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.classid::bigint << 32 | l.objid::bigint) = %s
"""
DATABASE = """
SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || oid FROM pg_database
WHERE datname = current_database()
"""


class NotOurs(Exception):
    """The tables may not be written; the message says which process has them, or why that cannot be known."""


class Session(Protocol):
    """A session that asks for the locks. Every call raises psycopg.Error where PostgreSQL does not answer."""

    def take(self) -> str | None:
        """None where the locks are held for as long as the session lasts, else the sentence that names their holder.

        Raises psycopg.OperationalError where the holder is a session of ours that the server takes for alive.
        """
        ...

    def check(self) -> None:
        """Raises where the session is over."""
        ...

    def close(self) -> None: ...


class Lease:
    """The right to write, until it is closed."""

    def __init__(self, opened: Callable[[], Session], session: Session, done: Callable[[], None]) -> None:
        self._opened, self._session, self._done = opened, session, done
        self._lost = ""
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._keeper.start()

    def check(self) -> None:
        """Raises NotOurs once another process has the tables: nothing more may be written."""
        if self._lost:
            raise NotOurs(self._lost)

    def close(self) -> None:
        """Free the locks."""
        self._closing.set()
        self._keeper.join(5)
        with suppress(psycopg.Error):
            self._session.close()
        self._done()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _keep(self) -> None:
        is_open = True
        while not self._closing.wait(POLL_SECONDS):
            try:
                if is_open:
                    self._session.check()
                    continue
                self._session = self._opened()
                if other := self._session.take():
                    self._session.close()
                    self._lost = f"PostgreSQL was away, and meanwhile the tables were taken. {other}"
                    log.error(self._lost)
                    return
                is_open = True
                log.info("the lease is ours again")
            except psycopg.Error as problem:
                if is_open:
                    log.warning("the lease's session ended, it is taken again: %s", _line(problem))
                    with suppress(psycopg.Error):
                        self._session.close()
                is_open = False


@dataclass(frozen=True)
class FileLocks:
    """The lock files of one process on this stack, and the name that it has left in them."""

    name: str
    held: ExitStack

    def close(self) -> None:
        self.held.close()


def take_files(settings: Settings, kind: Kind, doing: str, domains: Collection[str] = ()) -> FileLocks:
    """The part of `take_lease` that needs no server: it refuses a second process of the same stack."""
    host = socket.gethostname().partition(".")[0][:20]
    name = f"{os.getpid()}@{host}/{secrets.token_hex(2)} {doing}".encode("ascii", "replace").decode()[:LONGEST_NAME]
    with ExitStack() as held:
        _take_files(settings, kind, sorted(domains), name, held)
        return FileLocks(name, held.pop_all())


def take_lease(
    settings: Settings, kind: Kind, doing: str, domains: Collection[str] = (), files: FileLocks | None = None
) -> Lease:
    """Take the right to write the tables of these domains; without any, of all.

    `doing` is what a process that is refused reads of this one, e.g. "job nightly". `files` are the lock files where
    they are held already; they are freed with the lease, or where it is refused. Raises NotOurs.
    """
    files = files or take_files(settings, kind, doing, domains)
    name = files.name
    with ExitStack() as until_held:
        until_held.callback(files.close)
        first = _patiently(settings, kind, lambda: postgres(settings, autocommit=True, **_options(name)))
        locks = _locks(_warehouse(settings, first), kind, sorted(domains))

        def opened() -> Session:
            return _PostgresSession(postgres(settings, autocommit=True, **_options(name)), locks, name)

        session = _PostgresSession(first, locks, name)
        if refused := session.take():
            session.close()
            raise NotOurs(refused)
        return Lease(opened, session, until_held.pop_all().close)


def _take_files(settings: Settings, kind: Kind, domains: Collection[str], name: str, held: ExitStack) -> None:
    folder = settings.run
    try:
        held.callback(free, take(folder / f"{kind}.lock", name, shared=bool(domains)))
        for domain in domains:
            held.callback(free, take(folder / f"{kind}.{domain}.lock", name))
    except Taken as other:
        # The holders of a shared lock have left their names in the files of their domains.
        names = [file.read_text().strip() for file in sorted(folder.glob(f"{kind}.*.lock"))]
        holder = next(filter(None, names), "") if other.holder == UNNAMED else other.holder
        raise NotOurs(refusal(holder)) from None


def refusal(holder: str, since: str = "") -> str:
    """The sentence for the second process, from what the first wrote of itself."""
    match = re.fullmatch(r"(\d+)@([^/\s]+)/\w+ (.+)", holder)
    who = f"The {match[3]} (process {match[1]} on {match[2]}" if match else f"Another process ({holder or 'unnamed'}"
    started = f", since {since} UTC" if since else ""
    return f"{who}{started}) writes these tables, and two at once could lose data. Wait until it has ended, or stop it."


@dataclass(frozen=True)
class _Lock:
    """An advisory lock of PostgreSQL's."""

    key: int
    is_shared: bool = False


@dataclass(frozen=True)
class _PostgresSession:
    """A session of PostgreSQL's, which holds all the locks or is closed."""

    connection: Connection[Any]
    locks: tuple[_Lock, ...]
    name: str

    def take(self) -> str | None:
        for lock in self.locks:
            function = "pg_try_advisory_lock_shared" if lock.is_shared else "pg_try_advisory_lock"
            ((is_ours,),) = self.connection.execute(SQL("SELECT {}(%s)").format(SQL(function)), (lock.key,)).fetchall()
            if not is_ours:
                return self._refused(lock)
        return None

    def _refused(self, lock: _Lock) -> str:
        holders = self.connection.execute(HOLDER, (lock.key,)).fetchall()
        for pid, holder, _ in holders:
            if holder == self.name:
                # The network broke off, and the server has not noticed. No other process has this name, for a part of
                # it is random.
                self.connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
                raise psycopg.OperationalError("the lock is still held by an earlier session of this process")
        return refusal(*holders[0][1:]) if holders else refusal("just ended")

    def check(self) -> None:
        self.connection.execute("SELECT 1")

    def close(self) -> None:
        self.connection.close()


def _options(name: str) -> dict[str, Any]:
    return {
        "application_name": name, "connect_timeout": 5,
        # A server that is cut off from us is noticed within a quarter of a minute.
        "keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 2, "tcp_user_timeout": 15_000,
    }  # fmt: skip


def _patiently(settings: Settings, kind: Kind, connected: Callable[[], Connection[Any]]) -> Connection[Any]:
    end = time.monotonic() + PATIENCE[kind]
    while True:
        try:
            return connected()
        except psycopg.OperationalError as problem:
            if time.monotonic() > end:
                at = conninfo_to_dict(settings.postgres)
                raise NotOurs(
                    f"PostgreSQL at {at.get('host')}:{at.get('port', 5432)} does not answer, so it cannot be known who "
                    f"else writes these tables: {_line(problem)}. ./start.sh starts it; "
                    "SAUDA_POSTGRES_URL names another."
                ) from None
            time.sleep(0.5)


def _locks(warehouse: str, kind: Kind, domains: Collection[str]) -> tuple[_Lock, ...]:
    own = (_Lock(_key(f"{warehouse}/{kind}/{domain}")) for domain in domains)
    return (_Lock(_key(f"{warehouse}/{kind}"), is_shared=bool(domains)), *own)


def _key(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)


def _warehouse(settings: Settings, connection: Connection[Any]) -> str:
    """The warehouse's name. Raises NotOurs where its writers meet in another database."""
    from minio.error import MinioException
    from urllib3.exceptions import HTTPError

    ((database,),) = connection.execute(DATABASE).fetchall()
    info = connection.info
    ours = {"warehouse": str(uuid.uuid4()), "database": database, "at": f"{info.host}:{info.port}/{info.dbname}"}
    name = f"{settings.warehouse_prefix}/{WRITERS}"
    try:
        writers = _read(settings, name) or _create(settings, name, ours)
    except (OSError, HTTPError, MinioException) as problem:
        raise NotOurs(
            f"The store at {settings.s3} failed, so it cannot be known who else writes these tables: {_line(problem)}. "
            "./start.sh status shows whether MinIO is up."
        ) from None
    if writers["database"] != database:
        raise NotOurs(
            f"The writers of {settings.bucket}/{settings.warehouse_prefix} meet in the database {writers['at']}, and "
            f"this one is another ({ours['at']}): nobody would see who else writes. Set SAUDA_POSTGRES_URL to that "
            f"one; or, if nothing writes there any more, remove {name} from the bucket {settings.bucket}."
        )
    return str(writers["warehouse"])


def _read(settings: Settings, name: str) -> dict[str, str] | None:
    from minio.error import S3Error

    try:
        answer = s3(settings).get_object(settings.bucket, name)
    except S3Error as error:
        if error.code == "NoSuchKey":
            return None
        raise
    try:
        writers: dict[str, str] = orjson.loads(answer.read())
        return writers
    finally:
        answer.close()
        answer.release_conn()


def _create(settings: Settings, name: str, ours: dict[str, str]) -> dict[str, str]:
    """Create the object, and return what the store has afterwards: of two that come at once it takes one."""
    # The client cannot send a condition; a signed address takes any header.
    address = s3(settings).presigned_put_object(settings.bucket, name, timedelta(minutes=1))
    put = urllib.request.Request(address, orjson.dumps(ours), {"If-None-Match": "*"}, method="PUT")
    try:
        urllib.request.urlopen(put, timeout=10).close()
    except urllib.error.HTTPError as error:
        with error:
            if error.code not in (409, 412):
                raise
    return _read(settings, name) or ours


def _line(problem: BaseException) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[-1]
