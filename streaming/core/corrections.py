"""Which events are superseded by a later event of the same document: of a document, the last event to arrive holds.

Both lanes use this. Each finds the documents of a batch that may be known already by a Bloom filter, looks up their
events exactly, and calls `successions`. An event is superseded by the one that came next, so the answer does not depend
on where one batch ends and another begins.

A document is named by the key of the table of corrections. Where that table has a flag like `is_return_document`, and
silver the flag `is_return`, documents whose lines all have the flag are apart from the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from schemas.contract import Contract

IN_ORDER = ("ingested_at", "kafka_partition", "kafka_offset")
"""The order of arrival: the broker's clock, then partition and offset."""
_SOURCES = {"partition": "kafka_partition", "offset": "kafka_offset"}


@dataclass(frozen=True)
class Successions:
    """The rows for the table of corrections, and how many events no longer hold because of them."""

    rows: pa.Table
    superseded: int


def facts(silver: Contract) -> tuple[str, ...]:
    """The columns of an event, one value in all its lines, from which corrections are made."""
    assert silver.superseded_by is not None
    shown = {source or name for name, source in _columns(silver.superseded_by)} - {"batch_id"}
    return tuple(c.name for c in silver.columns if c in shown | {*silver.document_key, *IN_ORDER})


def document_flags(silver: Contract) -> dict[str, str]:
    """The flags that tell documents of one number apart, each with the flag of a line whose minimum it is."""
    assert silver.superseded_by is not None
    names = [str(c) for c in silver.superseded_by.columns if c.endswith("_document")]
    return {name: flag for name in names if (flag := name.removesuffix("_document")) in silver.columns}


def flag_expressions(silver: Contract) -> list[str]:
    """The flags of an event over its lines, in the SQL of Spark and of ClickHouse."""
    return [f"min({flag}) AS {name}" for name, flag in document_flags(silver).items()]


def successions(events: pa.Table, silver: Contract) -> Successions:
    """Which of these events supersede which, where one of the two is new (`is_new`).

    Of two copies of an event the first counts. `events` has all events of the documents in question that arrived
    since the first new one, and the last before it.
    """
    corrections = silver.superseded_by
    assert corrections is not None
    order = [(column, "ascending") for column in IN_ORDER]
    ordered = events.sort_by([*order, ("is_new", "descending")])
    ordered = ordered.filter(pa.array(~ordered.select(["event_id"]).to_pandas()["event_id"].duplicated().to_numpy()))
    by = [*silver.document_key, *document_flags(silver)]
    groups = ordered.select(by).to_pandas().groupby(by, sort=False)
    of = groups.ngroup().to_numpy()
    together = np.argsort(of, kind="stable")
    ordered, of = ordered.take(pa.array(together)), of[together]
    is_new = np.asarray(ordered["is_new"].to_numpy(zero_copy_only=False), dtype=np.bool_)
    at = np.flatnonzero((of[:-1] == of[1:]) & (is_new[:-1] | is_new[1:]))
    # An event that had a successor is not superseded again by one that came in between.
    last_known = np.full(len(groups), -1)
    np.maximum.at(last_known, of[~is_new], np.flatnonzero(~is_new))
    had_successor = ~is_new[at] & (last_known[of[at]] > at)
    earlier, later = ordered.take(pa.array(at)), ordered.take(pa.array(at + 1))
    rows = {name: later[source] if source else earlier[name] for name, source in _columns(corrections)
            if (source or name) in ordered.column_names}  # fmt: skip
    return Successions(pa.table(rows), int(len(at) - had_successor.sum()))


def _columns(corrections: Contract) -> list[tuple[str, str]]:
    """Each column of the table of corrections, with the later event's column that it shows; "" for the earlier's."""
    columns = []
    for name in map(str, corrections.columns):
        if name.startswith("superseded_by_"):
            of = name.removeprefix("superseded_by_")
            columns.append((name, _SOURCES.get(of, of)))
        else:
            columns.append((name, {"superseded_at": "ingested_at", "arrival": "arrival"}.get(name, "")))
    return columns
