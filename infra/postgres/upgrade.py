"""Brings the shop's database to the newest migration. Again changes nothing; two at once wait for each other."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from conf import Settings

VERSION_TABLE = "sauda_migration"
LOCK = 0x5A0DA_0001
"""Key of the advisory lock that an upgrade holds: any fixed number that no other part uses."""


class UnknownMigration(Exception):
    """The database is newer than this program. The message says what to do."""


def upgrade(settings: Settings) -> str:
    """Carry out what is missing, all of it or nothing; the sentence to show, empty where nothing was.

    Raises UnknownMigration, and sqlalchemy.exc.OperationalError where the database does not answer.
    """
    engine = create_engine(make_url(settings.postgres).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            # Until the end of the transaction: the second to come finds everything done.
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            before = _revision(connection)
            newest = _upgraded(connection, before)
    finally:
        engine.dispose()
    return "" if before == newest else f"The database went from migration {before or 'none'} to {newest}."


def _upgraded(connection: Connection, before: str | None) -> str:
    config = Config()
    # Its parser expands %(…)s.
    folder = str(Path(__file__).with_name("migrations")).replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head() or ""
    if before != newest:
        try:
            command.upgrade(config, "head")
        except CommandError as problem:
            raise UnknownMigration(
                f"The database is at migration {before}, which this program does not know ({problem}). "
                "Start the newer version, or point SAUDA_POSTGRES_URL to another database."
            ) from None
    return newest


def _revision(connection: Connection) -> str | None:
    options = {"version_table": VERSION_TABLE}
    return MigrationContext.configure(connection, opts=options).get_current_revision()
