"""A backlog reaches ClickHouse by way of the lake: the live lane skips it, and the lake's files fill the gap.

The live lane parses each event a second time so that it is visible early. With a backlog nothing is early any more, and
new events would wait behind it. So a lane that is far behind goes on from the end of the topic and saves the gap. As
the lake commits, ClickHouse reads the rows of the gap from the Delta files, some millions a second.

The lake's corrections are loaded all the time, by batch. Among them are those between an event of the gap and one that
came live, which the live lane cannot find.

The gap is saved before the live lane moves, and made smaller after each fill. A fill that is repeated changes nothing:
its rows have the same keys and versions, and ReplacingMergeTree keeps one.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from conf import Settings
from conf.connect import clickhouse
from schemas.contract import Contract, find
from streaming.core import failpoints
from streaming.core.checkpoints import Offsets, checkpoint_position, topic_ends
from streaming.core.domain import Branch, Domain
from streaming.core.live import remove_copies
from streaming.core.live_dedup import LiveDedup
from streaming.core.offset_shift import NO_SHIFT, OffsetShift
from streaming.core.progress import Progress

log = logging.getLogger("sauda.stream")
LOAD = {
    "max_partitions_per_insert_block": 0,
    # Rows that were deleted since an equal load must be inserted again.
    "insert_deduplicate": 0,
    # Else ClickHouse assumes the columns of its own table, which has no batch_id.
    "use_structure_from_insertion_table_in_table_functions": 0,
}


@dataclass(frozen=True)
class Gap:
    """Offsets by partition, shifted as in the lake (`streaming.core.offset_shift`).

    The live lane began at `end`; ClickHouse has everything before `filled` from elsewhere.
    """

    filled: Offsets = field(default_factory=dict)
    end: Offsets = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return any(self.filled.get(p, 0) < end for p, end in self.end.items())

    def reachable(self, lake: Offsets) -> dict[str, tuple[int, int]]:
        """What can be filled now, as begin and end by partition, when the lake has committed all before `lake`."""
        ranges = {}
        for partition, end in self.end.items():
            begin, to = self.filled.get(partition, 0), min(end, lake.get(partition, 0))
            if to > begin:
                ranges[partition] = (begin, to)
        return ranges

    def after(self, ranges: dict[str, tuple[int, int]]) -> Gap:
        return Gap(self.filled | {p: to for p, (_, to) in ranges.items()}, self.end)

    def widened(self, position: Offsets, end: Offsets) -> Gap:
        """The gap when the live lane moves from `position` to `end`; an older gap that is open is part of it."""
        begin = {p: min(position.get(p, 0), self.filled.get(p, 0)) if self.is_open else position.get(p, 0) for p in end}
        return Gap(begin, end)


class GapFile:
    """The file with a domain's gap, beside the checkpoint of its live lane."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "gap.json"

    def read(self) -> Gap:
        return Gap(**json.loads(self._file.read_text())) if self._file.exists() else Gap()

    def write(self, gap: Gap) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(gap)))
        fresh.replace(self._file)


def skip_backlog(
    settings: Settings, domain: Domain, folder: Path, shift: OffsetShift = NO_SHIFT
) -> str:  # fmt: skip
    """Spark's startingOffsets for a live lane without a checkpoint.

    The checkpoint of a lane that is too far behind is removed here, after its gap was saved. So is the checkpoint of a
    lane whose next events Kafka has deleted: the lake may have them.
    """
    gap_file, checkpoint = GapFile(folder), folder / "spark"
    gap = gap_file.read()
    low, high = topic_ends(settings, domain.topic)
    known = shift.original(gap.end) | checkpoint_position(checkpoint, domain.topic)
    begin = {p: known.get(p, low[p]) for p in high}
    position = {p: max(low[p], begin[p]) for p in high}
    lag = sum(high[p] - position[p] for p in high)
    is_far_behind = 0 < settings.live_backlog_events < lag
    if is_far_behind or begin != position:
        log.info("%d events wait, from %s on, and the topic begins at %s: the live lane goes on from %s, and the lake "
                 "fills the gap", lag, begin, low, "the topic's end" if is_far_behind else "there")  # fmt: skip
        position = high if is_far_behind else position
        gap_file.write(gap.widened(shift.shifted(begin), shift.shifted(position)))
        shutil.rmtree(checkpoint, ignore_errors=True)
    return json.dumps({domain.topic: position})


class Filler(threading.Thread):
    """Fills one domain's gap as the lake goes on. `lake` returns the offsets up to which the lake has committed.

    For a domain without a live lane, the gap is all that the lake commits.
    """

    def __init__(
        self, settings: Settings, domain: Domain, folder: Path, lake: Callable[[], Offsets], progress: Progress,
        known: Mapping[str, LiveDedup] | None = None, shift: OffsetShift = NO_SHIFT,
    ) -> None:  # fmt: skip
        super().__init__(name=f"fill:{domain.name}", daemon=True)
        self.settings, self.domain, self.lake, self.gap_file = settings, domain, lake, GapFile(folder)
        self.progress, self.known, self.shift = progress, known or {}, shift
        self._loaded: dict[str, tuple[Offsets, int]] = {}
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(1):
            try:
                self.fill()
                self.report()
            except Exception as error:
                log.error("the gap of %s was not filled: %s; it is tried again", self.domain.topic, error)
                self._stopping.wait(5)

    def stop(self) -> None:
        self._stopping.set()

    def report(self) -> None:
        """Report the offsets up to which ClickHouse is filled."""
        gap, original = self.gap_file.read(), self.shift.original
        self.progress.fill(
            self.name, self.domain.topic, original(gap.filled), original(gap.end) if self.domain.is_live else None
        )  # fmt: skip

    def fill(self) -> int:
        """Load what the lake has of the gap. Returns the number of its offsets."""
        gap, lake = self.gap_file.read(), self.shift.shifted(self.lake())
        if not self.domain.is_live:
            gap = Gap(gap.filled, lake)
        for corrections in self.domain.corrections:
            self._load_corrections(corrections, lake)
        ranges = gap.reachable(lake) if gap.is_open else {}
        if not ranges:
            return 0
        within = _within(ranges)
        for branch in self._with_rows(within):
            self._load(branch.silver, branch.silver, within)
        for silver, known in self.known.items():
            self._reconcile_copies(find(silver), known, within, gap)
        self._load(self.domain.quarantine, find("ops.quarantine"), within)
        failpoints.hit("fill.loaded")
        self.gap_file.write(gap.after(ranges))
        return sum(to - begin for begin, to in ranges.values())

    def _with_rows(self, within: str) -> list[Branch]:
        """The branches whose tables may have rows of the gap: those that take a type of event that is in it.

        Each load reads the Delta log of its table, and a domain may have dozens of tables.
        """
        served = [branch for branch in self.domain.branches if branch.silver.clickhouse is not None]
        if not self.domain.is_typed or len(served) == 1:
            return served
        client = clickhouse(self.settings, send_receive_timeout=600)
        try:
            bronze = self._lake_table(self.domain.bronze)
            question = f"SELECT DISTINCT event_type FROM {bronze} WHERE {within}"
            types = {row[0] for row in client.query(question).result_rows}
        finally:
            client.close()
        return [branch for branch in served if branch.types & types]

    def _load_corrections(self, corrections: Contract, lake: Offsets) -> None:
        """Load the corrections since the last call; at first all of them, since they are few."""
        before, last = self._loaded.get(corrections.name, ({}, -1))
        if lake == before:
            return
        self._load(corrections, corrections, f"batch_id >= {last}")
        client = clickhouse(self.settings)
        try:
            question = f"SELECT max(batch_id) FROM {self._lake_table(corrections)}"
            ((newest,),) = client.query(question).result_rows
        finally:
            client.close()
        self._loaded[corrections.name] = (lake, int(newest or 0))

    def _reconcile_copies(self, silver: Contract, known: LiveDedup, within: str, gap: Gap) -> None:
        """Add what was filled to the live lane's filters, and remove live rows that are copies of it."""
        client = clickhouse(self.settings, send_receive_timeout=600)
        try:
            known.add(client, within)
            after = " OR ".join(
                f"(kafka_partition = {int(p)} AND kafka_offset >= {end})" for p, end in sorted(gap.end.items())
            )
            came_live = f"SELECT event_id FROM {silver.name} WHERE line_no = 0 AND ({after})"
            filled = f"{came_live.replace(after, within)} AND event_id IN ({came_live})"
            copies = client.query(
                "SELECT DISTINCT kafka_partition, kafka_offset "
                f"FROM {silver.name} WHERE line_no = 0 AND ({after}) AND event_id IN ({filled})"
            ).result_rows
            if copies:
                remove_copies(client, self.domain, silver, [(int(p), int(o)) for p, o in copies])
        finally:
            client.close()

    def _lake_table(self, contract: Contract) -> str:
        return f"deltaLake(lake, url='{self.settings.table_url(contract.name)}')"

    def _load(self, source: Contract, target: Contract, where: str) -> None:
        columns = ", ".join(target.serving_columns)
        client = clickhouse(self.settings, send_receive_timeout=600)
        try:
            client.command(
                f"INSERT INTO {target.name} ({columns}) SELECT {columns} FROM {self._lake_table(source)} WHERE {where}",
                settings=LOAD,
            )
        finally:
            client.close()


def _within(ranges: dict[str, tuple[int, int]]) -> str:
    return " OR ".join(
        f"(kafka_partition = {int(p)} AND kafka_offset >= {begin} AND kafka_offset < {to})"
        for p, (begin, to) in sorted(ranges.items())
    )
