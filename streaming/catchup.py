"""A backlog reaches ClickHouse by way of the lake: the live lane steps over it, and the lake's files fill the gap.

The live lane parses each event a second time to be early. With a backlog there is nothing to be early for, and new
events would queue behind it. So a lane that finds itself far behind goes on from the end of the topic, and notes the
gap; as the lake commits, ClickHouse reads the gap's rows from the Delta files by itself, at some millions a second.

The note is written before the live lane moves, and moved forward after each fill. A fill that is done twice changes
nothing: rows have the same keys and versions, and ReplacingMergeTree keeps one.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from conf import Settings
from conf.connect import clickhouse
from schemas.contract import Contract, find
from streaming import faults
from streaming.checkpoints import Offsets, checkpoint_position, topic_ends
from streaming.progress import Progress
from streaming.registry import Domain

log = logging.getLogger("sauda.stream")


@dataclass(frozen=True)
class Gap:
    """Offsets by partition. The live lane began at `end`; ClickHouse has everything before `filled` from elsewhere."""

    filled: Offsets = field(default_factory=dict)
    end: Offsets = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return any(self.filled.get(p, 0) < end for p, end in self.end.items())

    def reachable(self, lake: Offsets) -> dict[str, tuple[int, int]]:
        """What can be filled now, as from and to by partition, when the lake has committed everything before `lake`."""
        found = {}
        for partition, end in self.end.items():
            begin, to = self.filled.get(partition, 0), min(end, lake.get(partition, 0))
            if to > begin:
                found[partition] = (begin, to)
        return found

    def after(self, ranges: dict[str, tuple[int, int]]) -> Gap:
        return Gap(self.filled | {p: to for p, (_, to) in ranges.items()}, self.end)

    def widened(self, position: Offsets, end: Offsets) -> Gap:
        """The gap when the live lane, being at `position`, moves on to `end`; an older gap that is open stays in it."""
        begin = {p: min(position.get(p, 0), self.filled.get(p, 0)) if self.is_open else position.get(p, 0) for p in end}
        return Gap(begin, end)


class GapFile:
    """Where a domain's gap is noted: beside the live lane's checkpoint."""

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


def step_over_backlog(settings: Settings, domain: Domain, folder: Path) -> str:
    """Where the live lane begins when it has no checkpoint, as Spark's startingOffsets.

    A lane that is too far behind loses its checkpoint here, once the gap it leaves is noted.
    """
    notes, checkpoint = GapFile(folder), folder / "spark"
    gap = notes.read()
    low, high = topic_ends(settings, domain.topic)
    begun = checkpoint_position(checkpoint, domain.topic)
    position = {p: max(low[p], begun.get(p, gap.end.get(p, 0))) for p in high}
    lag = sum(high[p] - position[p] for p in high)
    if 0 < settings.live_backlog_events < lag:
        log.info("%d events wait: the live lane goes on from the topic's end, the lake fills the gap", lag)
        gap = gap.widened(position, high)
        notes.write(gap)
        position = high
        shutil.rmtree(checkpoint, ignore_errors=True)
    return json.dumps({domain.topic: position})


class Filler(threading.Thread):
    """Fills one domain's gap as the lake goes on. `lake` answers how far the lake has committed.

    For a domain without a live lane, all that the lake commits is such a gap.
    """

    def __init__(
        self, settings: Settings, domain: Domain, folder: Path, lake: Callable[[], Offsets], progress: Progress
    ) -> None:
        super().__init__(name=f"fill:{domain.name}", daemon=True)
        self.settings, self.domain, self.lake, self.notes = settings, domain, lake, GapFile(folder)
        self.progress = progress
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
        """Say how far ClickHouse was filled."""
        gap = self.notes.read()
        self.progress.fill(self.name, self.domain.topic, gap.filled, gap.end if self.domain.is_live else None)

    def fill(self) -> int:
        """Load what the lake has of the gap. Returns how many offsets that covers."""
        gap, lake = self.notes.read(), self.lake()
        if not self.domain.is_live:
            gap = Gap(gap.filled, lake)
        ranges = gap.reachable(lake) if gap.is_open else {}
        if not ranges:
            return 0
        for branch in self.domain.branches:
            self._load(branch.silver, branch.silver, ranges)
        self._load(self.domain.quarantine, find("ops.quarantine"), ranges)
        faults.reached("fill.loaded")
        self.notes.write(gap.after(ranges))
        return sum(to - begin for begin, to in ranges.values())

    def _load(self, source: Contract, target: Contract, ranges: dict[str, tuple[int, int]]) -> None:
        columns = ", ".join(target.serving_columns)
        within = " OR ".join(
            f"(kafka_partition = {int(p)} AND kafka_offset >= {begin} AND kafka_offset < {to})"
            for p, (begin, to) in sorted(ranges.items())
        )
        client = clickhouse(self.settings, send_receive_timeout=600)
        try:
            client.command(
                f"INSERT INTO {target.name} ({columns}) SELECT {columns} "
                f"FROM deltaLake(lake, url='{self.settings.table_url(source.name)}') WHERE {within}",
                settings={"max_partitions_per_insert_block": 0},
            )
        finally:
            client.close()
