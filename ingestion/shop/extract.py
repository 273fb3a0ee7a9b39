"""Customers from the shop's database as rows of the stage: what changed, and in a full check what is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from typing import Any

from conf.postgres_values import Unreadable, fault
from ingestion.shop.stage import content_hash
from schemas.contract import contract
from schemas.shop.entities import Customers
from schemas.shop.stage import CustomersStaged

CUSTOMERS, STAGED = contract(Customers), contract(CustomersStaged)
(KEY,) = CUSTOMERS.key
CONTENT = [c.name for c in STAGED.columns if c in CUSTOMERS.columns and c != KEY]
Row = Mapping[str, Any]
Known = tuple[str, str]
"""A customer, and the hash of what is known of them."""


@dataclass(frozen=True)
class SetAside:
    """A row that cannot be read, and why: what is known of the customer stays as it is."""

    customer_id: str
    column: str
    sentence: str

    @classmethod
    def of(cls, row: Row) -> SetAside | None:
        """None for a row that can be read."""
        for name in (KEY, "updated_at", *CONTENT):
            if why := fault(row[name]):
                return cls(str(row[KEY]), name, f"{name} {why}")
        return None


@dataclass
class ExtractStats:
    """What a run found. `unchanged`, and how many were `known` before it, are counted in a full check only."""

    changed: int = 0
    gone: int = 0
    unchanged: int = 0
    known: int = 0
    set_aside: list[SetAside] = field(default_factory=list)


@dataclass(frozen=True)
class ExtractRun:
    """What all rows of a run have in common."""

    run_no: int
    taken_at: datetime

    def present(self, row: Row) -> dict[str, Any]:
        """A customer as the stage has it."""
        content = {name: row[name] for name in CONTENT}
        return self._staged(row[KEY], row["updated_at"], content, is_deleted=False)

    def gone(self, customer_id: str) -> dict[str, Any]:
        """A customer who is no more."""
        return self._staged(customer_id, self.taken_at, dict.fromkeys(CONTENT), is_deleted=True)

    def _staged(self, customer_id: str, at: datetime, content: Row, *, is_deleted: bool) -> dict[str, Any]:
        return {
            "run_no": self.run_no, "content_hash": content_hash([is_deleted, *content.values()]), KEY: customer_id,
            "taken_at": self.taken_at, "changed_at": at, "is_deleted": is_deleted, **content,
        }  # fmt: skip


def changed(rows: Iterable[Row], run: ExtractRun, stats: ExtractStats) -> Iterator[Row]:
    """Every row that was asked for: the lake leaves out what it has."""
    for row in rows:
        if bad := SetAside.of(row):
            stats.set_aside.append(bad)
            continue
        stats.changed += 1
        yield run.present(row)


def compared(
    rows: Iterable[Row], known: Iterable[Known], run: ExtractRun, stats: ExtractStats, note: Callable[[Known], None]
) -> Iterator[Row]:
    """What differs between the table and what is known of it. Both must be in the order of the key.

    The two are read side by side and never held. `note` is told what is known afterwards, customer by customer.
    """
    before = _counted(known, stats)
    at = next(before, None)
    for row in rows:
        if isinstance(row[KEY], Unreadable):
            stats.set_aside.append(SetAside("", KEY, f"{KEY} {fault(row[KEY])}"))
            continue
        while at is not None and at[0] < row[KEY]:
            stats.gone += 1
            yield run.gone(at[0])
            at = next(before, None)
        if bad := SetAside.of(row):
            # Whatever is known of the customer stays so: there is somebody of that key.
            stats.set_aside.append(bad)
            if at is not None and at[0] == row[KEY]:
                note(at)
                at = next(before, None)
            continue
        staged = run.present(row)
        now = (row[KEY], staged["content_hash"])
        note(now)
        if now == at:
            stats.unchanged += 1
        else:
            stats.changed += 1
            yield staged
        if at is not None and at[0] == row[KEY]:
            at = next(before, None)
    while at is not None:
        stats.gone += 1
        yield run.gone(at[0])
        at = next(before, None)


def _counted(known: Iterable[Known], stats: ExtractStats) -> Iterator[Known]:
    for one in known:
        stats.known += 1
        yield one


def overlaid(base: Iterable[Known], since: Mapping[str, str]) -> Iterator[Known]:
    """What was known at the last full check, with what runs found since: an empty hash is a customer who is gone."""
    later = sorted(since.items())
    for customer_id, digest in merge(((k, d) for k, d in base if k not in since), later):
        if digest:
            yield customer_id, digest
