"""API keys as PostgreSQL holds them; `api.keys` is the command that makes them.

A key is ``<id>.<secret>``, its secret 256 random bits. PostgreSQL holds its SHA-256 only. A slow hash such as bcrypt
protects what people choose, for that can be guessed; of random bits there is nothing to guess, and a slow hash would
cost its time at every request.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from conf import Settings
from conf.postgres_values import Unreadable

DEMO_RATE = 600_000
COLUMNS = "key_id, key_hash, name, scopes, rate_per_minute, created_at, expires_at, revoked_at"
LOAD = f"SELECT {COLUMNS} FROM ops.api_keys"
FIND = f"{LOAD} WHERE key_id = ANY(%s)"
INSERT = (
    "INSERT INTO ops.api_keys (key_id, key_hash, name, scopes, rate_per_minute, expires_at)"
    " VALUES (%(key_id)s, %(key_hash)s, %(name)s, %(scopes)s, %(rate_per_minute)s, %(expires_at)s)"
)
# With another stack's secrets the demo has another key; a revoked one stays revoked.
DEMO = f"{INSERT} ON CONFLICT (key_id) DO UPDATE SET key_hash = excluded.key_hash"
REVOKE = (
    "UPDATE ops.api_keys SET revoked_at = clock_timestamp() WHERE key_id = %s AND revoked_at IS NULL RETURNING name"
)


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as PostgreSQL holds it."""

    key_id: str
    key_hash: bytes
    name: str
    scopes: frozenset[str]
    rate_per_minute: int
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Key:
        """From a row of ops.api_keys."""
        return cls(
            row["key_id"], bytes(row["key_hash"]), row["name"], frozenset(row["scopes"]), row["rate_per_minute"],
            readable(row["expires_at"]), readable(row["revoked_at"], datetime.max.replace(tzinfo=UTC)),
        )  # fmt: skip

    def opens(self, text: str, now: datetime) -> bool:
        """Whether this text is the key, and the key is valid. The comparison takes constant time."""
        is_same = hmac.compare_digest(hashed(text), self.key_hash)
        return is_same and self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes


def readable(at: datetime | Unreadable | None, after: datetime | None = None) -> datetime | None:
    """An instant that Python may not be able to represent, such as infinity: then `after`, or the earliest one."""
    if isinstance(at, Unreadable):
        return datetime.min.replace(tzinfo=UTC) if at.is_before else after
    return at


def hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def key_id_of(text: str) -> str:
    """The id in a key's text; empty where the text is not a key."""
    key_id, dot, secret = text.partition(".")
    return key_id if dot and secret and len(text) <= 200 else ""


def new(name: str, scopes: tuple[str, ...], rate: int, expires_at: datetime | None) -> tuple[str, dict[str, Any]]:
    """A new key, and its row."""
    key_id = secrets.token_hex(6)
    text = f"{key_id}.{secrets.token_urlsafe(32)}"
    return text, row(text, name, scopes, rate, expires_at)


def row(text: str, name: str, scopes: tuple[str, ...], rate: int, expires_at: datetime | None = None) -> dict[str, Any]:
    """The row of a key: its hash, never its secret."""
    return {
        "key_id": key_id_of(text), "key_hash": hashed(text), "name": name, "scopes": list(scopes),
        "rate_per_minute": rate, "expires_at": expires_at,
    }  # fmt: skip


def demo(chosen: Settings) -> dict[str, Any]:
    """The row of the key in the secrets file. It allows everything on this machine."""
    return row(chosen.secrets.api_key, "demo", ("admin",), DEMO_RATE)
