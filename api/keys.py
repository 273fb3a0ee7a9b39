"""Keys of the REST API: ``python -m api.keys create NAME --scope read``, ``list``, ``revoke ID``."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import psycopg
from psycopg.rows import dict_row

from api.backends import keys as stored
from api.registry import scopes as declared_scopes
from conf import settings
from conf.connect import postgres
from conf.postgres_values import Unreadable, tolerate

SCOPES = declared_scopes()
AS_JSON = click.option("--json", "as_json", is_flag=True, help="For programs: one line of JSON on stdout.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Keys of the REST API."""


@main.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(list(SCOPES)),
              help="; ".join(f"{scope}: {what}" for scope, what in SCOPES.items()))  # fmt: skip
@click.option("--rate", type=click.IntRange(1, 10_000_000), default=6_000, show_default=True,
              help="Requests a minute.")  # fmt: skip
@click.option("--days", type=click.IntRange(1), help="Days after which the key expires.  [default: never]")
@AS_JSON
def create(name: str, scopes: tuple[str, ...], rate: int, days: int | None, as_json: bool) -> None:
    """Make a key for NAME and print it. It is shown only once."""
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    text, kept = stored.new(name, scopes, rate, expires_at)
    with _connected() as connection:
        connection.execute(stored.INSERT, kept)
    click.echo(_json({"key": text} | _shown(kept)) if as_json else text)
    click.echo("Keep it now: only its hash is stored.", err=True)


@main.command("list")
@AS_JSON
def list_keys(as_json: bool) -> None:
    """Show all keys, without their secrets, which are not stored."""
    with _connected() as connection:
        rows = connection.execute(f"{stored.LOAD} ORDER BY created_at").fetchall()
    if as_json:
        click.echo(_json([_shown(each) | {"state": _state(each)} for each in rows]))
        return
    for each in rows:
        state = _state(each)
        scopes = ",".join(each["scopes"])
        click.echo(f"{each['key_id']:14} {state:8} {each['rate_per_minute']:>9,}/min  {scopes:32} {each['name']}")


@main.command()
@click.argument("key_id")
@AS_JSON
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke a key: it stops working within seconds."""
    with _connected() as connection:
        revoked = connection.execute(stored.REVOKE, (key_id,)).fetchone()
    if not revoked:
        raise click.UsageError(f"There is no valid key with the id {key_id!r}; see the list.")
    done = {"key_id": key_id, "name": revoked["name"], "state": "revoked"}
    click.echo(_json(done) if as_json else f"The key {key_id} of {revoked['name']} is revoked.")


def _state(kept: dict[str, Any]) -> str:
    if kept["revoked_at"]:
        return "revoked"
    expires_at = stored.readable(kept["expires_at"])
    return "expired" if expires_at and expires_at <= datetime.now(UTC) else "good"


def _shown(kept: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a key, but for its hash."""
    names = ("key_id", "name", "scopes", "rate_per_minute", "created_at", "expires_at", "revoked_at")
    return {name: kept[name] for name in names if name in kept}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_text)


def _text(moment: datetime | Unreadable) -> str:
    return str(moment) if isinstance(moment, Unreadable) else moment.isoformat()


def _connected() -> psycopg.Connection[dict[str, Any]]:
    chosen = settings()
    try:
        connection = postgres(chosen, autocommit=True)
    except psycopg.OperationalError:
        sys.exit("PostgreSQL does not answer. Start it: ./start.sh")
    tolerate(connection)
    connection.row_factory = dict_row
    return connection


if __name__ == "__main__":
    main(prog_name="python -m api.keys")
