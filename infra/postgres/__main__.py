"""``python -m infra.postgres upgrade``: bring the shop's database to the newest migration.

Exit code 0: it is there. 1: it could not be brought there, and is as it was.
"""

from __future__ import annotations

import sys

import click
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from conf import settings
from infra.postgres.upgrade import UnknownMigration, upgrade


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The shop's database."""


@main.command("upgrade")
def upgrade_command() -> None:
    """Carry out the migrations that are missing."""
    chosen = settings()
    try:
        click.echo(upgrade(chosen) or "The database has every migration.")
    except UnknownMigration as problem:
        sys.exit(str(problem))
    except OperationalError as problem:
        at = make_url(chosen.postgres)
        sys.exit(f"PostgreSQL at {at.host}:{at.port} does not answer: {str(problem.orig).splitlines()[0]}. ./start.sh")


if __name__ == "__main__":
    main(prog_name="python -m infra.postgres")
