"""What ClickHouse holds of a live table's events: copies are left out of a batch, and corrections are found in it.

The table's sorting key begins with the day, so ReplacingMergeTree keeps a copy that names another day, and any copy
under another seller. Filters of hashes over all its events and their documents answer "no" for nearly every new event;
only what may have been there is looked up, by the indexes of event_id and purchase_id. ClickHouse makes the same hashes
as we do (the first eight bytes of MD5), so a start reads two numbers an event.

Nothing is lost with the filters: ClickHouse is what decides, and each start makes them anew.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.contract import Contract
from streaming.core.bloom_filter import Hashes, Seen, suspects
from streaming.core.corrections import IN_ORDER, IS_RETURN_DOCUMENT, KIND, Found, facts, successions

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

# A false answer costs a look-up, and there are several batches a second: with 8 probes "perhaps" is answered for 1 of
# 175,000 new events where the filter is full, for 4 to 8 bytes an event.
PROBES = 8
LOAD_AT_ONCE = 5_000_000
AT_ONCE = 1_000
"""So many values a look-up."""
LONG = {"max_query_size": 16_777_216, "max_ast_elements": 1_000_000, "max_expanded_ast_elements": 1_000_000}
PLACE = "kafka_partition * 281474976710656 + kafka_offset"
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Screened:
    """What a batch comes to: the lines to insert, the corrections that they make, how many copies were left out.

    `superseded` events hold no longer since this batch. `displaced` are the places of copies that ClickHouse holds
    although their original came only now.
    """

    lines: pa.Table
    corrections: pa.Table | None = None
    superseded: int = 0
    copies: int = 0
    displaced: list[tuple[int, int]] = field(default_factory=list)


class Known:
    """The events of one table. Who screens a batch holds `lock` until its lines are inserted."""

    def __init__(self, silver: Contract, dedup_days: int) -> None:
        self.silver, self.window = silver, timedelta(days=dedup_days)
        self.lock = threading.RLock()
        self._columns = [name for name in facts(silver) if silver.column(name).serving]
        self._ids: Seen | None = None
        self._documents: Seen | None = None

    def screen(self, client: Client, lines: pa.Table) -> Screened:
        """Judge a batch's lines. Asks ClickHouse only where an event or its document may have come before."""
        events = events_of(lines, self._columns)
        ids, documents = hashes(keys_of(events, ["event_id"])), hashes(keys_of(events, self.silver.document_key))
        known_ids, known_documents = self._filters(client, len(ids))
        copies, displaced = self._copies(client, events, among(ids, suspects(ids, known_ids)))
        fresh = ~copies
        # A displaced copy may have been taken for a correction, or for what one corrects.
        at = fresh & among(documents, suspects(documents[fresh], known_documents))
        found = self._corrections(client, events.filter(pa.array(at)), displaced) if at.any() else None
        known_ids.add(ids[fresh])
        known_documents.add(documents[fresh])
        if copies.any():
            lines = lines.filter(pa.array(~np.isin(places(lines), places(events)[copies])))
        rows = found.rows if found is not None and found.rows.num_rows else None
        return Screened(lines, rows, found.superseded if found else 0, int(copies.sum()), displaced)

    def learn(self, client: Client, where: str) -> None:
        """Take in events that came into the table by another way than `screen`."""
        if self._ids is None:
            return
        for ids, documents in self._hashed(client, where):
            with self.lock:
                known_ids, known_documents = self._filters(client, len(ids))
                known_ids.add(ids)
                known_documents.add(documents)

    def _filters(self, client: Client, more: int) -> tuple[Seen, Seen]:
        """The filters over all events and documents, made anew when they are missing or too full."""
        if self._ids is None or self._documents is None or not self._ids.has_room(more):
            ((count,),) = client.query(f"SELECT count() FROM {self.silver.name} WHERE line_no = 0").result_rows
            made = [Seen(2 * (int(count) + more), PROBES) for _ in range(2)]
            chunks = 1 + int(count) // LOAD_AT_ONCE
            for chunk in range(chunks):
                for ids, documents in self._hashed(client, f"kafka_offset % {chunks} = {chunk}"):
                    made[0].add(ids)
                    made[1].add(documents)
            self._ids, self._documents = made
        return self._ids, self._documents

    def _hashed(self, client: Client, where: str) -> Iterable[tuple[Hashes, Hashes]]:
        document = "concat(" + ", '\\0', ".join(f"toString({c})" for c in self.silver.document_key) + ")"
        asked = [f"reinterpretAsInt64(substring(MD5({x}), 1, 8)) AS h{n}" for n, x in enumerate(("event_id", document))]
        sql = f"SELECT {', '.join(asked)} FROM {self.silver.name} WHERE line_no = 0 AND ({where})"
        found = client.query_arrow(sql)
        if found.num_rows:
            yield found["h0"].to_numpy(), found["h1"].to_numpy()

    def _copies(self, client: Client, events: pa.Table, suspected: Flags) -> tuple[Flags, list[tuple[int, int]]]:
        """Which events are copies of one that arrived before, and copies that arrived after one of these."""
        copies = np.zeros(events.num_rows, dtype=np.bool_)
        if not suspected.any():
            return copies, []
        asked = events.filter(pa.array(suspected))
        known = self._asked(client, {"event_id": asked["event_id"]}, asked.schema)
        own = np.isin(places(known), places(events))
        every = pa.concat_tables([asked, known.filter(pa.array(~own))])
        order = every.sort_by([(column, "ascending") for column in IN_ORDER])
        frame = order.select(["event_id", "ingested_at"]).to_pandas()
        frame["place"] = places(order)
        frame["first"] = frame.groupby("event_id")["ingested_at"].transform("first")
        # As in the lake: what comes again after the window is an event anew.
        later = frame[frame["event_id"].duplicated() & (frame["ingested_at"] - frame["first"] <= self.window)]
        copies[np.isin(places(events), later["place"].to_numpy())] = True
        at = later["place"].to_numpy()
        return copies, [(int(p) >> 48, int(p) % 2**48) for p in at[~np.isin(at, places(events))]]

    def _corrections(self, client: Client, fresh: pa.Table, displaced: list[tuple[int, int]]) -> Found:
        """What these events supersede, and what supersedes them."""
        asked = {column: fresh[column] for column in self.silver.document_key}
        begun = pc.min(fresh["ingested_at"]).as_py()
        order, by = ", ".join(f"{c} DESC" for c in IN_ORDER), ", ".join([*self.silver.document_key, KIND])
        since = f"toDateTime64('{begun:%Y-%m-%d %H:%M:%S.%f}', 6, 'UTC')"
        # Of those before the batch the last is enough: a shop may give one number to everything.
        reduced = f"ORDER BY {order} LIMIT 1 BY {by}, if(ingested_at < {since}, -1, {PLACE})"
        known = self._asked(client, asked, fresh.schema, reduced)
        gone = np.isin(places(known), [p * 2**48 + o for p, o in displaced])
        known = known.filter(pa.array(~gone))
        every = [
            fresh.append_column("is_new", pa.array(np.ones(fresh.num_rows, dtype=np.bool_))),
            known.append_column("is_new", pa.array(np.zeros(known.num_rows, dtype=np.bool_))),
        ]
        return successions(pa.concat_tables(every), self.silver)

    def _asked(
        self, client: Client, values: dict[str, pa.ChunkedArray], schema: pa.Schema, reduced: str = ""
    ) -> pa.Table:
        """One row an event and place of those whose columns are among these values; `reduced` leaves some out."""
        size = len(next(iter(values.values())))
        found = [schema.empty_table()]
        each = [f"any(t.{c}) AS {c}" for c in self._columns if c not in ("event_id", *IN_ORDER[1:])]
        for begin in range(0, size, AT_ONCE):
            where = " AND ".join(
                f"t.{name} IN ({', '.join(sorted(set(map(literal, binaries(column.slice(begin, AT_ONCE))))))})"
                for name, column in values.items()
            )
            inner = (
                f"SELECT event_id, kafka_partition, kafka_offset, {', '.join(each)}, {IS_RETURN_DOCUMENT} AS {KIND} "
                f"FROM {self.silver.name} AS t WHERE {where} GROUP BY event_id, kafka_partition, kafka_offset"
            )
            if reduced:
                # Of copies that are not merged yet the first is the event.
                inner = f"SELECT * FROM ({inner} ORDER BY {', '.join(IN_ORDER)} LIMIT 1 BY event_id) {reduced}"
            rows = client.query_arrow(inner, settings=LONG)
            found.append(pa.table({c.name: rows[c.name].cast(c.type) for c in schema}, schema))
        return pa.concat_tables(found)


def events_of(lines: pa.Table, columns: Iterable[str]) -> pa.Table:
    """One row an event: its line 0, and whether all its lines are returned ones."""
    at, index = np.unique(places(lines), return_inverse=True)
    all_returned = np.ones(len(at), dtype=np.bool_)
    np.logical_and.at(all_returned, index, lines["is_return"].to_numpy(zero_copy_only=False).astype(np.bool_))
    first = lines["line_no"].to_numpy() == 0
    events = lines.filter(pa.array(first)).select(list(columns))
    number = events.schema.get_field_index("event_id")
    events = events.set_column(number, "event_id", events["event_id"].cast(pa.binary()))
    return events.append_column(KIND, pa.array(all_returned[index[first]])).combine_chunks()


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
    """As ClickHouse makes them: ``reinterpretAsInt64(substring(MD5(key), 1, 8))``."""
    digests = b"".join(hashlib.md5(key, usedforsecurity=False).digest()[:8] for key in keys)
    return np.frombuffer(digests, dtype="<i8").astype(np.int64)


def literal(value: bytes) -> str:
    """Any bytes, as a text of ClickHouse's SQL."""
    return f"unhex('{value.hex()}')"
