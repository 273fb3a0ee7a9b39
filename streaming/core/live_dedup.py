"""Finds copies and corrections in a live batch, by what ClickHouse holds already.

The sorting key of a table may begin with a day, so ReplacingMergeTree keeps a copy that has another day. Bloom filters
over all event ids and documents of the table answer "no" for nearly every new event. Only the others are looked up, by
the indexes of these columns. ClickHouse computes the same hashes as Python (the first eight bytes of MD5), so a start
reads two numbers an event.

The filters can be lost: ClickHouse decides, and each start builds them again.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.contract import Contract
from streaming.core.bloom_filter import BloomFilter, Hashes, suspects
from streaming.core.corrections import (
    IN_ORDER,
    Successions,
    document_flags,
    facts,
    flag_expressions,
    successions,
)

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

# A false "maybe" costs a look-up, and there are several batches a second. With 8 probes a full filter answers "maybe"
# for 1 of 175,000 new events; it takes 4 to 8 bytes an event.
PROBES = 8
EVENTS_PER_LOAD = 5_000_000
VALUES_PER_QUERY = 1_000
LONG_QUERY = {"max_query_size": 16_777_216, "max_ast_elements": 1_000_000, "max_expanded_ast_elements": 1_000_000}
PLACE = "kafka_partition * 281474976710656 + kafka_offset"
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ScreenedBatch:
    """The lines of a batch to insert, the corrections that follow from them, and how many copies were left out.

    `superseded` is the number of events that no longer hold because of this batch. `displaced` has partition and offset
    of copies that ClickHouse holds although their original comes only in this batch.
    """

    lines: pa.Table
    corrections: pa.Table | None = None
    superseded: int = 0
    copies: int = 0
    displaced: list[tuple[int, int]] = field(default_factory=list)


class LiveDedup:
    """Knows the events of one table. A caller of `screen` holds `lock` until the lines are inserted."""

    def __init__(self, silver: Contract, dedup_days: int) -> None:
        self.silver, self.window = silver, timedelta(days=dedup_days)
        self.lock = threading.RLock()
        self._columns = [name for name in facts(silver) if silver.column(name).serving]
        self._ids: BloomFilter | None = None
        self._documents: BloomFilter | None = None

    def screen(self, client: Client, lines: pa.Table) -> ScreenedBatch:
        """Find copies and corrections. Queries ClickHouse only where an event or its document may be known."""
        events = events_of(lines, self._columns, document_flags(self.silver))
        ids, documents = hashes(keys_of(events, ["event_id"])), hashes(keys_of(events, self.silver.document_key))
        known_ids, known_documents = self._filters(client, len(ids))
        copies, displaced = self._copies(client, events, among(ids, suspects(ids, known_ids)))
        fresh = ~copies
        # A displaced copy may have been taken for a correction, or for what one corrects.
        is_suspect = fresh & among(documents, suspects(documents[fresh], known_documents))
        suspected = events.filter(pa.array(is_suspect))
        result = self._corrections(client, suspected, displaced) if suspected.num_rows else None
        known_ids.add(ids[fresh])
        known_documents.add(documents[fresh])
        if copies.any():
            lines = lines.filter(pa.array(~np.isin(places(lines), places(events)[copies])))
        rows = result.rows if result is not None and result.rows.num_rows else None
        return ScreenedBatch(lines, rows, result.superseded if result else 0, int(copies.sum()), displaced)

    def add(self, client: Client, where: str) -> None:
        """Add events that reached the table by another way than `screen`."""
        if self._ids is None:
            return
        for ids, documents in self._hashed(client, where):
            with self.lock:
                known_ids, known_documents = self._filters(client, len(ids))
                known_ids.add(ids)
                known_documents.add(documents)

    def _filters(self, client: Client, more: int) -> tuple[BloomFilter, BloomFilter]:
        """The filters over all event ids and documents, built again when they are missing or too full."""
        if self._ids is None or self._documents is None or not self._ids.has_room(more):
            ((count,),) = client.query(f"SELECT count() FROM {self.silver.name} WHERE line_no = 0").result_rows
            filters = [BloomFilter(2 * (int(count) + more), PROBES) for _ in range(2)]
            chunks = 1 + int(count) // EVENTS_PER_LOAD
            for chunk in range(chunks):
                for ids, documents in self._hashed(client, f"kafka_offset % {chunks} = {chunk}"):
                    filters[0].add(ids)
                    filters[1].add(documents)
            self._ids, self._documents = filters
        return self._ids, self._documents

    def _hashed(self, client: Client, where: str) -> Iterable[tuple[Hashes, Hashes]]:
        document = "concat(" + ", '\\0', ".join(f"toString({c})" for c in self.silver.document_key) + ")"
        keys = enumerate(("event_id", document))
        hashed = ", ".join(f"reinterpretAsInt64(substring(MD5({key}), 1, 8)) AS h{n}" for n, key in keys)
        sql = f"SELECT {hashed} FROM {self.silver.name} WHERE line_no = 0 AND ({where})"
        rows = client.query_arrow(sql)
        if rows.num_rows:
            yield rows["h0"].to_numpy(), rows["h1"].to_numpy()

    def _copies(self, client: Client, events: pa.Table, suspected: Flags) -> tuple[Flags, list[tuple[int, int]]]:
        """Which events are copies of one that arrived before, and copies that arrived after one of these."""
        copies = np.zeros(events.num_rows, dtype=np.bool_)
        if not suspected.any():
            return copies, []
        suspects = events.filter(pa.array(suspected))
        known = self._look_up(client, {"event_id": suspects["event_id"]}, suspects.schema)
        own = np.isin(places(known), places(events))
        every = pa.concat_tables([suspects, known.filter(pa.array(~own))])
        order = every.sort_by([(column, "ascending") for column in IN_ORDER])
        frame = order.select(["event_id", "ingested_at"]).to_pandas()
        frame["place"] = places(order)
        frame["first"] = frame.groupby("event_id")["ingested_at"].transform("first")
        # As in the lake: a copy that comes after the window counts as a new event.
        later = frame[frame["event_id"].duplicated() & (frame["ingested_at"] - frame["first"] <= self.window)]
        copies[np.isin(places(events), later["place"].to_numpy())] = True
        at = later["place"].to_numpy()
        return copies, [(int(p) >> 48, int(p) % 2**48) for p in at[~np.isin(at, places(events))]]

    def _corrections(self, client: Client, fresh: pa.Table, displaced: list[tuple[int, int]]) -> Successions:
        """What these events supersede, and what supersedes them."""
        values = {column: fresh[column] for column in self.silver.document_key}
        start = pc.min(fresh["ingested_at"]).as_py()
        order = ", ".join(f"{c} DESC" for c in IN_ORDER)
        by = ", ".join([*self.silver.document_key, *document_flags(self.silver)])
        since = f"toDateTime64('{start:%Y-%m-%d %H:%M:%S.%f}', 6, 'UTC')"
        # Of the events before the batch the last is enough: a shop may give one number to all its purchases.
        reduced = f"ORDER BY {order} LIMIT 1 BY {by}, if(ingested_at < {since}, -1, {PLACE})"
        known = self._look_up(client, values, fresh.schema, reduced)
        is_displaced = np.isin(places(known), [p * 2**48 + o for p, o in displaced])
        known = known.filter(pa.array(~is_displaced))
        every = [
            fresh.append_column("is_new", pa.array(np.ones(fresh.num_rows, dtype=np.bool_))),
            known.append_column("is_new", pa.array(np.zeros(known.num_rows, dtype=np.bool_))),
        ]
        return successions(pa.concat_tables(every), self.silver)

    def _look_up(
        self, client: Client, values: dict[str, pa.ChunkedArray], schema: pa.Schema, reduced: str = ""
    ) -> pa.Table:
        """One row an event and offset, of those whose columns have these values; `reduced` leaves some of them out."""
        size = len(next(iter(values.values())))
        tables = [schema.empty_table()]
        each = [f"any(t.{c}) AS {c}" for c in self._columns if c not in ("event_id", *IN_ORDER[1:])]
        each += flag_expressions(self.silver)
        for begin in range(0, size, VALUES_PER_QUERY):
            where = " AND ".join(
                f"t.{name} IN ({', '.join(sorted(set(map(literal, binaries(column.slice(begin, VALUES_PER_QUERY))))))})"
                for name, column in values.items()
            )
            inner = (
                f"SELECT event_id, kafka_partition, kafka_offset, {', '.join(each)} "
                f"FROM {self.silver.name} AS t WHERE {where} GROUP BY event_id, kafka_partition, kafka_offset"
            )
            if reduced:
                # Of copies that are not merged yet, the first is the event.
                inner = f"SELECT * FROM ({inner} ORDER BY {', '.join(IN_ORDER)} LIMIT 1 BY event_id) {reduced}"
            rows = client.query_arrow(inner, settings=LONG_QUERY)
            tables.append(pa.table({c.name: rows[c.name].cast(c.type) for c in schema}, schema))
        return pa.concat_tables(tables)


def events_of(lines: pa.Table, columns: Iterable[str], flags: Mapping[str, str]) -> pa.Table:
    """One row an event: its line 0, and for each of `flags` whether all its lines have that flag."""
    first = lines["line_no"].to_numpy() == 0
    events = lines.filter(pa.array(first)).select(list(columns))
    number = events.schema.get_field_index("event_id")
    events = events.set_column(number, "event_id", events["event_id"].cast(pa.binary()))
    at, index = np.unique(places(lines), return_inverse=True)
    for name, flag in flags.items():
        holds = np.ones(len(at), dtype=np.bool_)
        np.logical_and.at(holds, index, lines[flag].to_numpy(zero_copy_only=False).astype(np.bool_))
        events = events.append_column(name, pa.array(holds[index[first]]))
    return events.combine_chunks()


def places(rows: pa.Table) -> npt.NDArray[np.int64]:
    """Partition and offset as one number."""
    partitions, offsets = (rows[c].to_numpy() for c in ("kafka_partition", "kafka_offset"))
    return np.asarray(partitions * 2**48 + offsets, dtype=np.int64)


def among(values: Hashes, some: Hashes) -> Flags:
    return np.isin(values, some) if len(some) else np.zeros(len(values), dtype=np.bool_)


def binaries(column: pa.ChunkedArray) -> list[bytes]:
    return [bytes(value) for value in column.cast(pa.binary()).to_pylist()]


def keys_of(events: pa.Table, columns: Iterable[str]) -> list[bytes]:
    """The columns' values of each row, as one text."""
    return [b"\0".join(parts) for parts in zip(*(binaries(events[c]) for c in columns), strict=True)]


def hashes(keys: list[bytes]) -> Hashes:
    """The same hashes as ClickHouse's ``reinterpretAsInt64(substring(MD5(key), 1, 8))``."""
    digests = b"".join(hashlib.md5(key, usedforsecurity=False).digest()[:8] for key in keys)
    return np.frombuffer(digests, dtype="<i8").astype(np.int64)


def literal(value: bytes) -> str:
    """Bytes as a literal of ClickHouse's SQL."""
    return f"unhex('{value.hex()}')"
