"""Which events a later one of the same document supersedes: of a seller's purchase number the last to arrive holds.

Both lanes decide by this. Each finds the documents of a batch that may have been there before by a filter of hashes,
looks up their events exactly, and asks here what follows. An event is superseded by the one that came next, so the
answer does not depend on where one batch ends and another begins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from schemas.contract import Contract

IN_ORDER = ("ingested_at", "kafka_partition", "kafka_offset")
"""The order of arrival: the broker's clock, then the place."""
IS_RETURN_DOCUMENT = "min(is_return)"
"""Whether an event is a return, over its lines, in Spark's SQL and in ClickHouse's."""
KIND = "is_return_document"
_PLACES = {"partition": "kafka_partition", "offset": "kafka_offset"}


@dataclass(frozen=True)
class Found:
    """The rows for the table of corrections, and how many events hold no longer that did, or never will."""

    rows: pa.Table
    superseded: int


def facts(silver: Contract) -> tuple[str, ...]:
    """The columns of an event, one value in all its lines, by which corrections are found and told."""
    assert silver.superseded_by is not None
    shown = {source or name for name, source in _columns(silver.superseded_by)} - {"batch_id"}
    return tuple(c.name for c in silver.columns if c in shown | {*silver.document_key, *IN_ORDER})


def successions(events: pa.Table, silver: Contract) -> Found:
    """What of these events is superseded by what, as far as one of the two is new (`is_new`).

    Of an event that is here twice the first counts. `events` has all events of the documents in question that arrived
    since the first new one, and the last before it.
    """
    corrections = silver.superseded_by
    assert corrections is not None
    order = [(column, "ascending") for column in IN_ORDER]
    ordered = events.sort_by([*order, ("is_new", "descending")])
    ordered = ordered.filter(pa.array(~ordered.select(["event_id"]).to_pandas()["event_id"].duplicated().to_numpy()))
    groups = ordered.select([*silver.document_key, KIND]).to_pandas().groupby([*silver.document_key, KIND], sort=False)
    of = groups.ngroup().to_numpy()
    together = np.argsort(of, kind="stable")
    ordered, of = ordered.take(pa.array(together)), of[together]
    is_new = np.asarray(ordered["is_new"].to_numpy(zero_copy_only=False), dtype=np.bool_)
    at = np.flatnonzero((of[:-1] == of[1:]) & (is_new[:-1] | is_new[1:]))
    # What had a successor before is not superseded anew by one that came in between.
    last_known = np.full(len(groups), -1)
    np.maximum.at(last_known, of[~is_new], np.flatnonzero(~is_new))
    had_one = ~is_new[at] & (last_known[of[at]] > at)
    earlier, later = ordered.take(pa.array(at)), ordered.take(pa.array(at + 1))
    rows = {name: later[source] if source else earlier[name] for name, source in _columns(corrections)
            if (source or name) in ordered.column_names}  # fmt: skip
    return Found(pa.table(rows), int(len(at) - had_one.sum()))


def _columns(corrections: Contract) -> list[tuple[str, str]]:
    """Each column of the table of corrections, with the later event's column that it shows; "" for the earlier's."""
    found = []
    for name in map(str, corrections.columns):
        if name.startswith("superseded_by_"):
            of = name.removeprefix("superseded_by_")
            found.append((name, _PLACES.get(of, of)))
        else:
            found.append((name, {"superseded_at": "ingested_at", "arrival": "arrival"}.get(name, "")))
    return found
