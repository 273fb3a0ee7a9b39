"""Lake and ClickHouse side by side: the same question to both, and where the answers differ.

ClickHouse reads the lake's side too, at a pinned version, so no Spark is needed and a comparison takes seconds.

The live lane is ahead of the lake lane by some seconds, so the two are compared only as far as the lake has come: rows
of ClickHouse from beyond the lake's last offset of their Kafka partition are left out of the question. They are left
out before ReplacingMergeTree picks the copy that counts (PREWHERE, not WHERE): else a copy that the lake has not read
yet could hide the one it has.

How far the lake has come is told by bronze, up to the last batch that is surely finished in the table that is compared;
offsets of silver alone would not count the events at its end that were refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jobs.core.fingerprint import Facts, clickhouse_row
from jobs.core.lake import S3Lake
from jobs.core.push import delta, facts_of, pinned
from schemas.contract import Contract, lists_corrections, tables
from schemas.contract.rules import quoted
from schemas.derive.spark import ident

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

# The lanes may keep different copies of one event, which differ in nothing but their place.
PLACE = ("kafka_partition", "kafka_offset", "arrival", "superseded_by_partition", "superseded_by_offset")
BEFORE_FINAL = "apply_prewhere_after_final = 0"


@dataclass(frozen=True)
class Total:
    """Both sides over all days. `money` has each money column's two sums."""

    lake_rows: int
    clickhouse_rows: int
    money: dict[str, tuple[Decimal, Decimal]]


@dataclass(frozen=True)
class Difference:
    """What the comparison of one table found. `days` are those that differ; None stands for the table as a whole."""

    table: str
    days_compared: int
    days: tuple[date | None, ...]
    total: Total

    @property
    def is_equal(self) -> bool:
        return not self.days


@dataclass(frozen=True)
class Day:
    """One side of one day."""

    rows: int = 0
    keys: int = 0
    content: int = 0
    money: tuple[Decimal, ...] = ()


@dataclass(frozen=True)
class StreamTable:
    """A table that both lanes fill: where each side of it is found, and how far the lake has come."""

    contract: Contract
    lake: S3Lake
    client: Client = field(repr=False)

    @property
    def served(self) -> str:
        """The table's name in ClickHouse, where one table holds the refused events of all topics."""
        return "ops.quarantine" if self.contract.layer == "quarantine" else self.contract.name

    @property
    def day(self) -> str:
        """The day by which the table is compared: that of its sorting key, else that of its arrival."""
        days = [c for c in self.contract.sorting_key if self.contract.column(c).type.name == "DAY"]
        return ident(days[0]) if days else "toDate32(ingested_at, 'UTC')"

    @property
    def topic(self) -> str:
        """What rows of the table in ClickHouse belong to this contract."""
        (bronze,) = self.contract.built_from
        (event,) = bronze.built_from
        return f"kafka_topic = {quoted(event.topic)}" if self.contract.layer == "quarantine" else "1"

    @property
    def money(self) -> list[str]:
        return [c.name for c in self.contract.serving_columns if c.type.name == "MONEY"]

    @cached_property
    def version(self) -> int | None:
        """The version that is compared, the same for all questions."""
        return self.lake.version(self.contract.name)

    @property
    def source(self) -> str:
        """The lake's side, for a query that ends with `pin`."""
        return delta(self.lake.url(self.contract.name))

    @property
    def final(self) -> str:
        """The lake's side, of rows with one key the one that ClickHouse keeps.

        The lake only adds: where it reads the events of a number out of their order, it names two successors of one.
        """
        if not lists_corrections(self.contract):
            return self.source
        return f"(SELECT * FROM {self.source} ORDER BY arrival DESC LIMIT 1 BY {', '.join(self.contract.key)})"

    @property
    def pin(self) -> str:
        return pinned(self.version or 0)

    @cached_property
    def reached(self) -> str:
        """True, in SQL, for rows up to which the lake has come."""
        (bronze,) = self.contract.built_from
        # Pinned before bronze, so bronze holds all that this version was made of.
        finished = self._finished_batch()
        version = self.lake.version(bronze.name)
        if finished is None or version is None:
            return "0"
        result = self.client.query(
            f"SELECT kafka_partition, max(kafka_offset) FROM {delta(self.lake.url(bronze.name))} "
            f"WHERE batch_id <= {finished} GROUP BY kafka_partition {pinned(version)}"
        ).result_rows
        if not result:
            return "0"
        partitions, offsets = zip(*sorted((int(p), int(o)) for p, o in result), strict=True)
        places = [("kafka_partition", "kafka_offset")]
        if lists_corrections(self.contract):
            # The lake finds one when it has both events.
            places.append(("superseded_by_partition", "superseded_by_offset"))
        return " AND ".join(
            f"{offset} <= transform({partition}, {list(partitions)}, {list(offsets)}, toInt64(-1))"
            for partition, offset in places
        )

    def _finished_batch(self) -> int | None:
        """The last batch that is whole in this table: its own last one, as a batch is one commit.

        Refusals and corrections are rare, so the last batch of these may be old; they are also whole up to the one
        before silver's last, since all of a batch is written before the next batch begins.
        """
        of_topic = [t for t in tables("silver", self.contract.domain) if t.built_from == self.contract.built_from]
        silver = [t for t in of_topic if not lists_corrections(t)]
        # Looked at before this table's version is pinned, or the version would lack what silver's batches tell of it.
        before = [] if self.contract in silver else [(t, self.lake.version(t.name)) for t in silver]
        ends = [end - 1 for t, version in before if (end := self._last_batch(t, version)) is not None]
        own = self._last_batch(self.contract, self.version)
        return max([*ends, *([own] if own is not None else [])], default=None)

    def _last_batch(self, table: Contract, version: int | None) -> int | None:
        if version is None:
            return None
        query = f"SELECT count(), max(batch_id) FROM {delta(self.lake.url(table.name))} {pinned(version)}"
        ((count, last),) = self.client.query(query).result_rows
        return int(last) if count else None

    def compare(self) -> Difference:
        """Both sides of every day."""
        served = f"{self.served} FINAL PREWHERE {self.reached} WHERE {self.topic}"
        there = self._days(served, f"SETTINGS {BEFORE_FINAL}")
        lake = self._days(self.final, self.pin) if self.version is not None else {}
        every = sorted(lake.keys() | there.keys())
        different = tuple(day for day in every if lake.get(day, Day()) != there.get(day, Day()))
        return Difference(self.contract.name, len(every), different, self._total(lake, there))

    def _days(self, source: str, settings: str) -> dict[date, Day]:
        key = ", ':', ".join(f"toString({ident(c)})" for c in self.contract.key)
        content = [c for c in self.contract.serving_columns if c not in PLACE]
        expressions = [
            f"{self.day} AS day",
            "count()",
            f"groupBitXor(CRC32(concat({key}, '')))",
            f"sum({clickhouse_row(content)})",
            # A day may have rows and no amount.
            *(f"ifNull(sum({ident(c)}), 0)" for c in self.money),
        ]
        answer = self.client.query(f"SELECT {', '.join(expressions)} FROM {source} GROUP BY day {settings}").result_rows
        return {row[0]: Day(int(row[1]), int(row[2]), int(row[3]), tuple(row[4:])) for row in answer}

    def _total(self, lake: Mapping[date, Day], there: Mapping[date, Day]) -> Total:
        def added(days: Mapping[date, Day], place: int) -> Decimal:
            return sum((day.money[place] for day in days.values()), Decimal(0))

        money = {name: (added(lake, n), added(there, n)) for n, name in enumerate(self.money)}
        return Total(_rows(lake.values()), _rows(there.values()), money)


def _rows(days: Any) -> int:
    return sum(day.rows for day in days)


@dataclass(frozen=True)
class GoldTable:
    """A table that a job pushes: it is compared, and loaded again, as a whole."""

    contract: Contract
    lake: S3Lake
    client: Client = field(repr=False)

    @cached_property
    def version(self) -> int | None:
        """The version that is compared, the same for all questions."""
        return self.lake.version(self.contract.name)

    @cached_property
    def lake_facts(self) -> Facts:
        """What the lake holds; nothing where there is no table."""
        if self.version is None:
            return Facts.of(self.contract, [0, 0, *(0 for _ in self.contract.money_columns)])
        source = delta(self.lake.url(self.contract.name))
        return facts_of(self.client, self.contract, source, pinned(self.version))

    def compare(self) -> Difference:
        """Both sides of the whole table."""
        lake, there = self.lake_facts, facts_of(self.client, self.contract, self.contract.name)
        money = {name: (lake.money[name], there.money[name]) for name in lake.money}
        differs = (None,) if lake.difference(there) else ()
        return Difference(self.contract.name, 1, differs, Total(lake.rows, there.rows, money))


def compared_tables(lake: S3Lake, client: Client, names: Sequence[str] = ()) -> list[StreamTable | GoldTable]:
    """Everything that lake and ClickHouse both hold, or what is named of it."""
    result: list[StreamTable | GoldTable] = []
    for contract in tables():
        if names and contract.name not in names:
            continue
        if contract.refresh == "nightly" and contract.delta and contract.clickhouse is not None:
            result.append(GoldTable(contract, lake, client))
        elif contract.layer == "quarantine" or (contract.layer == "silver" and contract.clickhouse is not None):
            result.append(StreamTable(contract, lake, client))
    return result
