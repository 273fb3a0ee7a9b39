"""What holds after several loads of one collection: as the `_latest` views tell it, over what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from ingestion.core.message import Message
from ingestion.procurement.ocds.persons import Persons
from ingestion.procurement.ocds.source import OcdsFiles
from ingestion.procurement.ocds.state import KEYS
from ingestion.procurement.ocds.stored_processes import StoredParty

Json = dict[str, Any]
CASES = Path(__file__).parents[3] / "cases" / "ocds"


@dataclass
class InMemory:
    """What is known, as PostgreSQL would keep it."""

    states: dict[str, bytes] = field(default_factory=dict)
    shared: dict[str, StoredParty] = field(default_factory=dict)

    def processes(self, ocids: Sequence[str]) -> dict[str, bytes]:
        return {ocid: self.states[ocid] for ocid in ocids if ocid in self.states}

    def keep(self, processes: Mapping[str, bytes]) -> None:
        self.states |= processes

    def parties(self, ids: Sequence[str]) -> dict[str, StoredParty]:
        return {party: self.shared[party] for party in ids if party in self.shared}

    def keep_parties(self, parties: Mapping[str, StoredParty]) -> None:
        self.shared |= parties

    def close(self) -> None: ...


@dataclass
class Collection:
    """A collection that is loaded file by file; a load comes an hour after the one before."""

    known: InMemory = field(default_factory=InMemory)
    sentences: list[str] = field(default_factory=list)
    events: dict[str, tuple[str, int, str, Json]] = field(default_factory=dict)
    feed: OcdsFiles | None = None
    loads: int = 0

    def load(self, *paths: Path) -> list[Message]:
        """The events that are new to the lake."""
        fresh = []
        for path in paths:
            self.loads += 1
            now = datetime(2026, 2, 1, tzinfo=UTC) + timedelta(hours=self.loads)
            self.feed = OcdsFiles(path, "x", self.sentences.append, now, Persons("salt"), None, lambda: self.known)
            for message in self.feed.messages():
                if message.event_id not in self.events:
                    headers = dict(message.headers)
                    kind, value = headers["ce_type"].decode(), orjson.loads(message.value or b"")
                    at = value.get("changed_at") or headers["ce_time"].decode()
                    self.events[message.event_id] = (at, len(self.events), kind.removeprefix("ocds."), value)
                    fresh.append(message)
        return fresh

    def rows(self, kind: str) -> list[Json]:
        """The rows of a kind that hold, by their ids."""
        newest: dict[str, Json] = {}
        for _, _, of, value in sorted(self.events.values(), key=lambda event: event[:2]):
            if of == kind:
                newest[value[KEYS[kind]]] = value
        held = [value for _, value in sorted(newest.items()) if value.get("is_published", True)]
        # Of a bid its newest event has all rows.
        return [value | row for value in held for row in value["app_lots"]] if kind == "bid" else held

    def column(self, kind: str, *names: str) -> list[Any]:
        """Of these rows one column, or tuples of several."""
        rows = [tuple(row.get(name) for name in names) for row in self.rows(kind)]
        return [row[0] for row in rows] if len(names) == 1 else rows


def loaded(*paths: Path) -> Collection:
    collection = Collection()
    collection.load(*paths)
    return collection
