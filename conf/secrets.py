"""Passwords: created once for each stack, in a file that only its owner can read."""

from __future__ import annotations

import json
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path


def _new() -> str:
    return secrets.token_urlsafe(18).replace("-", "x").replace("_", "y")


@dataclass(frozen=True)
class Secrets:
    """``repr`` hides the values, so that none gets into a log."""

    kafka: str = field(default_factory=_new, repr=False)
    # Of the broker, to itself and to its controller.
    kafka_broker: str = field(default_factory=_new, repr=False)
    minio: str = field(default_factory=_new, repr=False)
    clickhouse: str = field(default_factory=_new, repr=False)
    clickhouse_reader: str = field(default_factory=_new, repr=False)
    postgres: str = field(default_factory=_new, repr=False)
    airflow: str = field(default_factory=_new, repr=False)
    airflow_database: str = field(default_factory=_new, repr=False)
    # Signs the tokens that Airflow's parts show each other.
    airflow_signing: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)
    airflow_fernet: str = field(default_factory=lambda: urlsafe_b64encode(os.urandom(32)).decode(), repr=False)
    supervisor: str = field(default_factory=_new, repr=False)
    # Mixed into the hashes of persons' codes: with another, the same person would get another hash.
    person: str = field(default_factory=_new, repr=False)
    # The demo's own key of the API: its id, and 256 random bits.
    api_key: str = field(default_factory=lambda: f"demo.{secrets.token_urlsafe(32)}", repr=False)
    # Signs the addresses under which a client of the API asks for the outcome of a purchase.
    receipt: str = field(default_factory=_new, repr=False)
    kafka_cluster_id: str = field(default_factory=lambda: secrets.token_urlsafe(16).replace("-", "x")[:22], repr=False)
    domains: dict[str, str] = field(default_factory=dict, repr=False)
    """Those that the domains declare, by name."""

    def named(self, name: str) -> str:
        """Raises KeyError for an unknown name."""
        if name in self.domains:
            return self.domains[name]
        if name not in _GENERIC:
            raise KeyError(name)
        return str(getattr(self, name))

    def by_name(self) -> dict[str, str]:
        """All of them, for checks that none is shown anywhere."""
        return {name: self.named(name) for name in (*_GENERIC, *self.domains)}


_GENERIC = [f.name for f in fields(Secrets) if f.name != "domains"]


def load_secrets(path: Path, domains: Iterable[str] = ()) -> Secrets:
    """Read the secrets, or create them. A key that a newer version added is created and saved.

    `domains` are the names of those that domains declare. The file has all of them side by side.

    Safe when two processes come first together: the file appears whole or not at all, and the first wins.
    """
    own = list(domains)
    kept: dict[str, str] = {}
    if path.exists():
        kept = json.loads(path.read_text())
    known = Secrets(
        **{k: v for k, v in kept.items() if k in _GENERIC}, domains={name: kept.get(name) or _new() for name in own}
    )
    if {*_GENERIC, *own} <= kept.keys():
        return known
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        # What another version of the domains has declared stays.
        json.dump(kept | {name: known.named(name) for name in (*_GENERIC, *own)}, out, indent=1)
    if kept:
        fresh.replace(path)
        return known
    try:
        os.link(fresh, path)
    except FileExistsError:
        return load_secrets(path, own)
    finally:
        fresh.unlink()
    return known
