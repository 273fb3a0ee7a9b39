"""Of the events of one document the last to arrive holds, and each before it is superseded by the next."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from schemas.contract import contract
from schemas.purchases.silver import PurchaseCorrections, PurchaseLines
from streaming.core.corrections import document_flags, facts, successions

SILVER = contract(PurchaseLines)
(KIND,) = document_flags(contract(PurchaseLines))
BEGAN = datetime(2026, 2, 1, 12, tzinfo=UTC)
TYPES = {
    "event_id": pa.binary(), "ingested_at": pa.timestamp("us", "UTC"), "sold_on": pa.date32(), "source": pa.string(),
    "seller_id": pa.string(), "purchase_id": pa.string(), "kafka_topic": pa.string(),
}  # fmt: skip


def event(
    name: str, second: int, number: str = "7", *, new: bool = True, place: int = 0, **more: Any
) -> dict[str, Any]:
    """An event called by a letter, which arrived so many seconds after the beginning."""
    return {
        "event_id": name.encode(), "event_hash": ord(name[0]), "ingested_at": BEGAN + timedelta(seconds=second),
        "kafka_topic": "purchases", "kafka_partition": 0, "kafka_offset": place or second, "arrival": -second,
        "seller_id": "s", "purchase_id": number, "sold_on": date(2026, 1, 31), "source": f"file {name}",
        KIND: False, "is_new": new, **more,
    }  # fmt: skip


def table(events: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(
        events,
        pa.schema([(c, TYPES.get(c, pa.bool_() if c in (KIND, "is_new") else pa.int64())) for c in events[0]]),
    )


def pairs(*events: dict[str, Any]) -> tuple[list[str], int]:
    actual = successions(table(list(events)), SILVER)
    rows = actual.rows.to_pylist()
    return sorted(f"{r['event_id'].decode()}>{r['superseded_by_event_id'].decode()}" for r in rows), actual.superseded


def test_each_version_is_superseded_by_the_next_to_arrive() -> None:
    assert pairs(event("c", 3), event("a", 1), event("b", 2)) == (["a>b", "b>c"], 2)


def test_what_was_known_before_is_not_listed_again() -> None:
    assert pairs(event("a", 1, new=False), event("b", 2, new=False), event("c", 3)) == (["b>c"], 1)
    assert pairs(event("a", 1, new=False), event("b", 2, new=False)) == ([], 0)


def test_one_that_arrived_in_between_is_named_by_both_and_counts_once() -> None:
    assert pairs(event("a", 1, new=False), event("c", 3, new=False), event("b", 2)) == (["a>b", "b>c"], 1)


def test_a_late_original_is_superseded_at_once() -> None:
    assert pairs(event("b", 2, new=False), event("a", 1)) == (["a>b"], 1)


@pytest.mark.parametrize("other", [{"seller_id": "t"}, {"purchase_id": "8"}, {KIND: True}])
def test_another_seller_number_or_a_return_is_another_document(other: dict[str, Any]) -> None:
    assert pairs(event("a", 1), event("b", 2, **other)) == ([], 0)


def test_the_same_event_twice_is_one_and_never_its_own_successor() -> None:
    assert pairs(event("a", 1), event("b", 2), event("a", 3)) == (["a>b"], 1)
    assert pairs(event("a", 1, new=False), event("a", 1)) == ([], 0)


def test_a_tie_is_decided_by_partition_and_offset() -> None:
    late = event("b", 1, place=3, kafka_partition=1)
    assert pairs(late, event("a", 1, place=9)) == (["a>b"], 1)
    assert pairs(event("b", 1, place=8), event("a", 1, place=3)) == (["a>b"], 1)


def test_a_row_tells_of_both_events() -> None:
    first, second = event("a", 1), event("b", 2, sold_on=date(2026, 2, 1), kafka_partition=1)
    (row,) = successions(table([first, second]), SILVER).rows.to_pylist()

    shown = {c: first[c] for c in ("event_id", "event_hash", "seller_id", "sold_on", "source", "kafka_offset", KIND)}
    assert {c: row[c] for c in shown} == shown
    assert (row["superseded_at"], row["arrival"]) == (second["ingested_at"], second["arrival"])
    assert (row["superseded_by_partition"], row["superseded_by_offset"]) == (1, 2)
    assert (row["superseded_by_sold_on"], row["superseded_by_source"]) == (date(2026, 2, 1), "file b")
    assert row.keys() == {str(c) for c in contract(PurchaseCorrections).columns} - {"batch_id"}


def test_the_facts_of_an_event_are_columns_of_its_lines() -> None:
    assert set(facts(SILVER)) == set(event("a", 1)) - {KIND, "is_new"}


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_batches_one_event_of_a_document_holds_and_every_event_is_counted_once(seed: int) -> None:
    """Against the plain rule: sort by arrival; each is superseded by the next. Batches come in any order."""
    rng = random.Random(seed)
    sent = [event(chr(97 + n), second, str(rng.randrange(4))) for n, second in enumerate(rng.sample(range(1, 99), 20))]
    known: list[dict[str, Any]] = []
    listed: dict[bytes, tuple[int, bytes]] = {}
    superseded = 0
    while sent:
        size = rng.randint(1, 6)
        batch, sent = sent[:size], sent[size:]
        actual = successions(table([e | {"is_new": False} for e in known] + batch), SILVER)
        for row in actual.rows.to_pylist():
            # As ReplacingMergeTree does: of one key the greater arrival stays.
            listed[row["event_id"]] = max(
                listed.get(row["event_id"], (-1000, b"")), (row["arrival"], row["superseded_by_event_id"])
            )
        superseded += actual.superseded
        known += batch
        assert superseded == len(listed)
    ordered = sorted(known, key=lambda e: (e["purchase_id"], e["ingested_at"]))
    wanted = {a["event_id"]: b["event_id"] for a, b in pairwise(ordered) if a["purchase_id"] == b["purchase_id"]}
    assert {old: new for old, (_, new) in listed.items()} == wanted
