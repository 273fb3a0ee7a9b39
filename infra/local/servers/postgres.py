"""The PostgreSQL server: unpacked from its jar, run as another user when root starts it, with its databases.

PostgreSQL refuses to run as root, so root's server runs as `nobody`, who owns its data folder and nothing else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from conf import LOOPBACK, Settings
from conf.connect import postgres
from infra.local.errors import Failed
from infra.local.processes import children, owner
from infra.local.processes.command_lock import held
from infra.local.processes.permissions import share

USER = owner.NOBODY
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DATABASES = ("sauda", "airflow")
"""Each belongs to a role of its name."""


def home(settings: Settings) -> Path:
    """Where the server is, once it is unpacked."""
    return settings.tools / "postgres"


def data(settings: Settings) -> Path:
    """The folder of the cluster's files."""
    return settings.data / "postgres"


def ensure(settings: Settings, _: Callable[[str], None]) -> str:
    """Unpack the server unless this state of it is there; the folder appears whole or not at all."""
    target = home(settings)
    if _is_unpacked(settings):
        return ""
    with held(settings.tools / "postgres.lock", "PostgreSQL's binaries", wait=True):
        if not _is_unpacked(settings):
            fresh = target.with_name(".postgres.new")
            shutil.rmtree(fresh, ignore_errors=True)
            _unpack(settings.jars / "postgres", fresh)
            shutil.copy(settings.jars / "postgres" / ".stamp", fresh / ".stamp")
            # Another user runs it.
            share(fresh)
            shutil.rmtree(target, ignore_errors=True)
            fresh.rename(target)
    return ""


def _is_unpacked(settings: Settings) -> bool:
    stamp, wanted = home(settings) / ".stamp", settings.jars / "postgres" / ".stamp"
    return stamp.exists() and stamp.read_text() == wanted.read_text()


def _unpack(folder: Path, target: Path) -> None:
    archives = list(folder.glob("embedded-postgres-binaries-*.jar"))
    if len(archives) != 1:
        raise Failed(f"{folder} should hold one jar of PostgreSQL, and has {len(archives)}: remove it and start again.")
    with zipfile.ZipFile(archives[0]) as jar:
        name = next(name for name in jar.namelist() if name.endswith(".txz"))
        with jar.open(name) as packed, tarfile.open(fileobj=packed, mode="r:xz") as tar:
            # Python before 3.11.4 has no filters.
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            tar.extractall(target)


def as_owner(settings: Settings) -> list[str]:
    """The words before a command of PostgreSQL that make it run as the owner of its data; none where that is us."""
    return owner.as_user(USER, [home(settings), settings.data])


def _bare(settings: Settings) -> list[str]:
    """The words that take the environment away where another user runs it: his other programs read what is in it."""
    return ["env", "-i", f"{children.MARK}={children.mark(settings, 'postgres')}"] if os.geteuid() == 0 else []


def command(settings: Settings) -> list[str]:
    """The server. Only loopback and only TCP: a socket file would need a folder that both users may enter."""
    options = {
        "listen_addresses": LOOPBACK,
        "port": settings.port("postgres"),
        "unix_socket_directories": "",
        "max_connections": 80,
        "shared_buffers": "64MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    server = str(home(settings) / "bin" / "postgres")
    return [*_bare(settings), *as_owner(settings), server, "-D", str(data(settings)), *words]


def initialise(settings: Settings) -> None:
    """Make the cluster's files; those that are there are left as they are."""
    folder = data(settings)
    if (folder / "PG_VERSION").exists():
        return
    # What a start that was cut off has left.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    password = folder.with_name(".postgres-password")
    descriptor = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(settings.secrets.postgres)
    for path in (folder, password):
        owner.give(USER, path)
    try:
        done = subprocess.run(
            [
                *as_owner(settings), str(home(settings) / "bin" / "initdb"), "-D", str(folder), "-U", "sauda",
                "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8",
                # Of its own making, so that it sorts alike on every machine.
                "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
            ],
            # Its working folder must be one that the other user may enter.
            cwd="/", env={"PATH": PATH}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        password.unlink()
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise Failed(f"PostgreSQL's data folder cannot be made:\n{(done.stdout + done.stderr).strip()[-1500:]}")


def trouble(settings: Settings) -> str | None:
    """None when the server answers, else a sentence."""
    import psycopg

    try:
        # Our databases are made when the server answers.
        with postgres(settings, database="" if settings.postgres_url else "postgres") as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError as error:
        return str(error).strip().splitlines()[-1][:300]
    return None


def create_databases(settings: Settings) -> str:
    """The shop's database, and Airflow's with its own role."""
    from psycopg import sql

    with postgres(settings, database="postgres", autocommit=True) as connection:
        roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
        if "airflow" not in roles:
            connection.execute(sql.SQL("CREATE ROLE airflow LOGIN"))
        password = sql.Literal(settings.secrets.airflow_database)
        connection.execute(sql.SQL("ALTER ROLE airflow PASSWORD {}").format(password))
        there = {name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()}
        for name in DATABASES:
            if name not in there:
                statement = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(name))
                connection.execute(statement)
            # Else each role may enter the other's.
            shut = sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC")
            connection.execute(shut.format(sql.Identifier(name)))
    return ""
