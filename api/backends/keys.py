"""API keys: ``python -m api.backends.keys create NAME --scope read``, ``list``, ``revoke ID``.

A key is ``<id>.<secret>``, its secret 256 random bits. PostgreSQL holds its SHA-256 only. A slow hash such as bcrypt
protects what people choose, for that can be guessed; of random bits there is nothing to guess, and a slow hash would
cost its time at every request.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import psycopg
from psycopg.rows import dict_row

from conf import Settings, settings
from conf.connect import postgres
from conf.postgres_values import Unreadable, tolerate

SCOPES = {
    "read": "read the catalogue, purchases and analytics",
    "write:purchases": "send purchases",
    "write:catalogue": "create, change and delete sellers, products and customers",
    "personal": "see and filter by what tells of a person; others see it masked",
    "admin": "everything",
}
DEMO_RATE = 600_000
AS_JSON = click.option("--json", "as_json", is_flag=True, help="For programs: one line of JSON on stdout.")
COLUMNS = "key_id, key_hash, name, scopes, rate_per_minute, created_at, expires_at, revoked_at"
LOAD = f"SELECT {COLUMNS} FROM shop.api_keys"
FIND = f"{LOAD} WHERE key_id = ANY(%s)"
INSERT = (
    "INSERT INTO shop.api_keys (key_id, key_hash, name, scopes, rate_per_minute, expires_at)"
    " VALUES (%(key_id)s, %(key_hash)s, %(name)s, %(scopes)s, %(rate_per_minute)s, %(expires_at)s)"
)
# With another stack's secrets the demo has another key; a revoked one stays revoked.
DEMO = f"{INSERT} ON CONFLICT (key_id) DO UPDATE SET key_hash = excluded.key_hash"
REVOKE = (
    "UPDATE shop.api_keys SET revoked_at = clock_timestamp() WHERE key_id = %s AND revoked_at IS NULL RETURNING name"
)


@dataclass(frozen=True, slots=True)
class Key:
    """What PostgreSQL holds of a key."""

    key_id: str
    key_hash: bytes
    name: str
    scopes: frozenset[str]
    rate_per_minute: int
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Key:
        """From a row of shop.api_keys."""
        return cls(
            row["key_id"], bytes(row["key_hash"]), row["name"], frozenset(row["scopes"]), row["rate_per_minute"],
            _end(row["expires_at"]), _end(row["revoked_at"], datetime.max.replace(tzinfo=UTC)),
        )  # fmt: skip

    def opens(self, text: str, now: datetime) -> bool:
        """Whether this text is the key, and the key is good. The comparison takes as long for every text."""
        is_same = hmac.compare_digest(hashed(text), self.key_hash)
        return is_same and self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes


def _end(at: datetime | Unreadable | None, after: datetime | None = None) -> datetime | None:
    """An instant that may be one that Python has not, such as infinity: then `after`, or the first of all."""
    if isinstance(at, Unreadable):
        return datetime.min.replace(tzinfo=UTC) if at.is_before else after
    return at


def hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def key_id_of(text: str) -> str:
    """The part of a key by which it is found, empty where the text is no key."""
    key_id, dot, secret = text.partition(".")
    return key_id if dot and secret and len(text) <= 200 else ""


def made(name: str, scopes: tuple[str, ...], rate: int, expires_at: datetime | None) -> tuple[str, dict[str, Any]]:
    """A new key, and the row that is kept of it."""
    key_id = secrets.token_hex(6)
    text = f"{key_id}.{secrets.token_urlsafe(32)}"
    return text, row(text, name, scopes, rate, expires_at)


def row(text: str, name: str, scopes: tuple[str, ...], rate: int, expires_at: datetime | None = None) -> dict[str, Any]:
    """What is kept of a key."""
    return {
        "key_id": key_id_of(text), "key_hash": hashed(text), "name": name, "scopes": list(scopes),
        "rate_per_minute": rate, "expires_at": expires_at,
    }  # fmt: skip


def demo(chosen: Settings) -> dict[str, Any]:
    """The row of the key that stands in the secrets file. It may do everything on this machine."""
    return row(chosen.secrets.api_key, "demo", ("admin",), DEMO_RATE)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Keys of the REST API."""


@main.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(list(SCOPES)),
              help="; ".join(f"{scope}: {what}" for scope, what in SCOPES.items()))  # fmt: skip
@click.option("--rate", type=click.IntRange(1, 10_000_000), default=6_000, show_default=True,
              help="Requests a minute.")  # fmt: skip
@click.option("--days", type=click.IntRange(1), help="After so many days it is good no more.  [default: never]")
@AS_JSON
def create(name: str, scopes: tuple[str, ...], rate: int, days: int | None, as_json: bool) -> None:
    """Make a key for NAME and print it. It is shown this once."""
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    text, kept = made(name, scopes, rate, expires_at)
    with _connected() as connection:
        connection.execute(INSERT, kept)
    click.echo(_json({"key": text} | _shown(kept)) if as_json else text)
    click.echo("Keep it now: only its hash is stored.", err=True)


@main.command("list")
@AS_JSON
def list_keys(as_json: bool) -> None:
    """Show all keys; of none the secret, which is not stored."""
    with _connected() as connection:
        rows = connection.execute(f"{LOAD} ORDER BY created_at").fetchall()
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
    """Make a key useless, within seconds."""
    with _connected() as connection:
        found = connection.execute(REVOKE, (key_id,)).fetchone()
    if not found:
        raise click.UsageError(f"There is no good key with the id {key_id!r}; see the list.")
    done = {"key_id": key_id, "name": found["name"], "state": "revoked"}
    click.echo(_json(done) if as_json else f"The key {key_id} of {found['name']} is revoked.")


def _state(kept: dict[str, Any]) -> str:
    if kept["revoked_at"]:
        return "revoked"
    expires_at = _end(kept["expires_at"])
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
    main(prog_name="python -m api.backends.keys")
