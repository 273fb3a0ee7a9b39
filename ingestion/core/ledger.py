"""The ledger: what Kafka acknowledged, written down as it happened. Service tests judge the lake by it.

JSON lines, appended to. A delivery that failed is written too, for Kafka may hold such an event all the same: a judge
must neither demand nor forbid it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from ingestion.core.message import Kind, Message


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivery. `error` is empty where Kafka acknowledged it; partition and offset are -1 where it did not.

    `sent_at` is the sender's clock in Unix seconds when the event was handed to the Kafka client.
    """

    event_id: str
    partition: int
    offset: int
    kind: Kind
    expected_rule: str
    amount: Decimal
    lines: int
    sent_at: float
    error: str


@dataclass(frozen=True)
class Ledger:
    """What was read back. An event that was sent twice has two entries."""

    entries: tuple[Entry, ...]

    @cached_property
    def accepted(self) -> dict[str, Entry]:
        """By id, the acknowledged events that claim to be good: each must be in silver, or refused by a rule, once."""
        return {e.event_id: e for e in self.entries if not e.error and e.kind != "poison"}

    @cached_property
    def poison(self) -> dict[str, Entry]:
        """By id, the acknowledged events that must be in quarantine under `expected_rule`."""
        return {e.event_id: e for e in self.entries if not e.error and e.kind == "poison"}

    @cached_property
    def uncertain(self) -> dict[str, Entry]:
        """By id, events of which no copy was acknowledged: they may be there or not."""
        sure = self.accepted.keys() | self.poison.keys()
        return {e.event_id: e for e in self.entries if e.error and e.event_id not in sure}

    @property
    def amount(self) -> Decimal:
        """Money of the accepted events, each counted once."""
        return sum((e.amount for e in self.accepted.values()), Decimal(0))

    @property
    def lines(self) -> int:
        """Lines of the accepted events, each event counted once."""
        return sum(e.lines for e in self.accepted.values())

    @property
    def copies(self) -> int:
        """Acknowledged records beyond the first of their id."""
        return sum(not e.error for e in self.entries) - len(self.accepted) - len(self.poison)


class LedgerWriter:
    """Appends to a ledger. Lines are handed to the system by `flush`, which the publisher calls whenever it polls."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        _cut_torn_end(path)

    def write(self, message: Message, partition: int, offset: int, sent_at: float, error: str = "") -> None:
        self._file.write(
            orjson.dumps(
                {
                    "event_id": message.event_id,
                    "partition": partition,
                    "offset": offset,
                    "kind": message.kind,
                    "expected_rule": message.expected_rule,
                    "amount": str(message.amount),
                    "lines": message.lines,
                    "sent_at": sent_at,
                    "error": error,
                },
                option=orjson.OPT_APPEND_NEWLINE,
            )
        )

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def read_ledger(path: Path) -> Ledger:
    """Read a ledger, also while it is being written: a last line without its end is left out."""
    return Ledger(tuple(_entries(path)))


def _entries(path: Path) -> Iterator[Entry]:
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                fields = json.loads(line)
                yield Entry(**(fields | {"amount": Decimal(fields["amount"])}))


def _cut_torn_end(path: Path) -> None:
    """A writer that was killed may leave half a line, and the next line must not be glued to it."""
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        block, at = b"", end
        while at > 0 and b"\n" not in block:
            at = max(0, at - 65_536)
            file.seek(at)
            block = file.read(min(65_536, end - at))
        keep = at + block.rfind(b"\n") + 1
        if keep < end:
            file.truncate(keep)
