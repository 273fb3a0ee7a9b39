"""Starts one domain's lanes, and keeps its faults from the other domains.

A table that differs from its contract stops what needs it, and nothing else: a Delta table stops the whole domain, a
table of ClickHouse what fills ClickHouse. The lake lane goes on then, for Kafka drops what is not read in time. The
tables are looked at again every few seconds, so that the domain goes on by itself when they are mended.

The live lane needs the lake only to learn how the offsets are shifted. Where the lake is new nothing is shifted, so the
lane starts without waiting for storage, which a first start may still be building.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from conf import Settings
from conf.connect import clickhouse
from conf.stream_progress import accepted_file
from schemas.contract import find
from schemas.derive import live_tables
from streaming.core.backfill import Filler, skip_backlog
from streaming.core.checkpoints import checkpoint_id, checkpoint_position
from streaming.core.domain import Domain
from streaming.core.lake import LakeLane, batch_base
from streaming.core.live import LiveLane
from streaming.core.live_dedup import LiveDedup
from streaming.core.lost_offsets import OffsetCheck, TopicPosition
from streaming.core.offset_shift import NO_SHIFT, OffsetShift
from streaming.core.progress import Progress
from streaming.core.queries import MAX_WAIT_SECONDS, Lane, QueryRunner, sentence
from streaming.core.schema_check import prepare_tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

log = logging.getLogger("sauda.stream")
LAKE_PAUSE_SECONDS = 0.5


T = TypeVar("T")


class DomainRunner(threading.Thread):
    """Starts a domain's lanes as soon as their tables allow it."""

    def __init__(
        self, spark: SparkSession, settings: Settings, domain: Domain, lanes: Collection[str], progress: Progress,
        granted: threading.Event,
    ) -> None:  # fmt: skip
        """Nothing is written to the lake before `granted` is set."""
        super().__init__(name=f"domain:{domain.name}", daemon=True)
        self.spark, self.settings, self.domain, self.progress = spark, settings, domain, progress
        self._granted = granted
        self.has_lake, self.has_live = "lake" in lanes, "live" in lanes and domain.is_live
        self.attempted = threading.Event()
        """Set when its lanes run, or it is known why they do not."""
        self._stopping = threading.Event()
        self._begun: list[QueryRunner | Filler] = []
        self._reported = ""

    def run(self) -> None:
        name, topic = self.domain.name, self.domain.topic
        lake, live = f"lake:{name}", f"live:{name}"
        queries = [query for query, is_run in ((lake, self.has_lake), (live, self.has_live)) if is_run]
        for query in queries:
            self.progress.set(query, topic=topic)
        dedup = self._dedup()

        def serving_stopped(text: str) -> None:
            if self.has_live:
                self.progress.stopped(live, text)
            self.progress.fill_stopped(f"fill:{name}", topic, text)

        is_first = not self._granted.is_set() and not accepted_file(self.settings, topic).exists()
        is_live_begun = is_first and self._start_before_lake(dedup)
        self._wait_for_lake()
        shift = NO_SHIFT if is_live_begun else None
        position = self._until_done(lambda: self._prepare(shift), lambda text: self._stop_queries(queries, text))
        if position is None:
            return
        if self.has_lake and self._until_done(lambda: self._start_lake(position), lambda _: None) is None:
            return
        if not is_live_begun and self._until_done(lambda: self._start_live(position, dedup), serving_stopped) is None:
            return
        self._until_done(lambda: self._start_filler(position, dedup), serving_stopped)
        self.attempted.set()

    def stop(self) -> None:
        """Stop after the batches at hand."""
        self._stopping.set()
        for started in list(self._begun):
            started.stop()

    def _until_done(self, step: Callable[[], T], stopped: Callable[[str], None]) -> T | None:
        """Repeat a step of the start until it succeeds; None where the runner is stopped before that."""
        while not self._stopping.is_set():
            try:
                return step()
            except live_tables.ContractMismatch as mismatch:
                self._log(f"{self.domain.name} is stopped, the other domains run: {mismatch}")
                stopped(str(mismatch))
                self.attempted.set()
            except Exception as error:
                # A part may be down. Every step can be repeated.
                self._log(f"{self.domain.name} does not start: {sentence(error)}; it is tried again")
            self._stopping.wait(MAX_WAIT_SECONDS)
        return None

    def _log(self, text: str) -> None:
        if text != self._reported:
            self._reported = text
            log.error(text)

    def _stop_queries(self, queries: Collection[str], text: str) -> None:
        for query in queries:
            self.progress.stopped(query, text)

    def _begin(self, started: QueryRunner | Filler) -> None:
        self._begun.append(started)
        if isinstance(started, QueryRunner):
            self.progress.set(started.lane.name, state="starting", error="")
        if not self._stopping.is_set():
            started.start()

    def _start_before_lake(self, dedup: Mapping[str, LiveDedup]) -> bool:
        """Start the live lane. False where the lane does not start: the usual order, which
        gives the lake precedence, then says why."""
        try:
            self._start_live(TopicPosition(self.spark, self.settings, self.domain, NO_SHIFT), dedup)
        except Exception as error:
            self._log(f"{self.domain.name} does not start before the lake: {sentence(error)}")
            return False
        self.attempted.set()
        return True

    def _wait_for_lake(self) -> None:
        """Until the lake may be written, or the runner is stopped."""
        if self.has_lake and not self._granted.is_set():
            self.progress.set(f"lake:{self.domain.name}", state="waiting for the lake's bucket")
        while not (self._stopping.is_set() or self._granted.wait(LAKE_PAUSE_SECONDS)):
            pass

    def _prepare(self, shift: OffsetShift | None) -> TopicPosition:
        prepare_tables(self.spark, self.settings, self.domain.tables)
        position = TopicPosition(self.spark, self.settings, self.domain, shift)
        position.apply_accepted()
        return position

    def _start_lake(self, position: TopicPosition) -> bool:
        self._begin(QueryRunner(self.spark, self.settings, self._lake_lane(position), self.progress))
        return True

    def _dedup(self) -> dict[str, LiveDedup]:
        """What the live lane and the filler share, by silver table."""
        return {
            branch.silver.name: LiveDedup(branch.silver, self.settings.dedup_days)
            for branch in self.domain.branches
            if self.domain.is_live and branch.corrections is not None
        }

    def _start_live(self, position: TopicPosition, dedup: Mapping[str, LiveDedup]) -> bool:
        check_served(self.settings, self.domain)
        if self.has_live:
            lane = self._live_lane(position, dedup)
            self._begin(QueryRunner(self.spark, self.settings, lane, self.progress))
        return True

    def _start_filler(self, position: TopicPosition, dedup: Mapping[str, LiveDedup]) -> bool:
        """Start what fills ClickHouse from the lake."""
        if self.has_lake:
            self._begin(self._filler(position, dedup))
        return True

    def _folder(self, lane: str) -> Path:
        """Where a lane keeps its checkpoint (in `spark`) and its notes."""
        return Path(self.settings.checkpoints) / lane / self.domain.name

    def _lake_lane(self, position: TopicPosition) -> Lane:
        domain, settings, progress = self.domain, self.settings, self.progress
        name, folder = f"lake:{domain.name}", self._folder("lake")
        lane = LakeLane(self.spark, settings, domain)
        if not (folder / "spark" / "metadata").exists() and (last := lane.last_batch()) is not None:
            # The checkpoint was lost: its last batch may have been interrupted between bronze and silver.
            lane.refine(last)

        def handle(batch: DataFrame, batch_id: int) -> dict[str, int]:
            base = batch_base(folder, checkpoint_id(folder / "spark"), lane.following_batch)
            counts = lane.write(batch, base + batch_id)
            return {
                "read": counts.read,
                "accepted": counts.accepted,
                "superseded": counts.superseded,
                "refused": counts.quarantined,
                "duplicates": counts.duplicates,
            }

        checks: list[OffsetCheck] = []

        def check_topic() -> dict[str, int]:
            checks[:] = [position.require("lake")]
            # A reader that looks for offsets of the topic in silver adds this to them.
            progress.set(name, ahead=dict(position.shift.ahead))
            return checks[0].high

        def start() -> str:
            # Where there is a checkpoint, Spark goes on from it and looks at no other beginning.
            return position.starting_offsets(checks[0])

        trigger, most = settings.lake_trigger_seconds, settings.lake_batch_events
        return Lane(
            name, domain.topic, folder, trigger, most, start, handle, "lake",
            check_topic=check_topic, shift=position.shift,
        )  # fmt: skip

    def _live_lane(self, position: TopicPosition, dedup: Mapping[str, LiveDedup]) -> Lane:
        domain, settings = self.domain, self.settings
        name, folder = f"live:{domain.name}", self._folder("live")
        lane = LiveLane(self.spark, settings, domain, dedup)

        def handle(batch: DataFrame, batch_id: int) -> dict[str, int]:
            counts = lane.write(batch, checkpoint_id(folder / "spark"), batch_id)
            self.progress.fresh(name, counts.ages)
            parts = ("accepted", "superseded", "refused", "duplicates")
            outcomes = {part: int(getattr(counts, part)) for part in parts}
            return outcomes | {"read": sum(outcomes.values())}

        def start() -> str:
            return skip_backlog(settings, domain, folder, position.shift)

        trigger, most = settings.live_trigger_seconds, settings.live_batch_events
        return Lane(
            name, domain.topic, folder, trigger, most, start, handle, "live", lane.shape,
            check_topic=lambda: position.require("live").high, shift=position.shift,
        )  # fmt: skip

    def _filler(self, position: TopicPosition, dedup: Mapping[str, LiveDedup]) -> Filler:
        """Follows the lake lane by its checkpoint; where it has none yet, by where it begins."""
        domain, lake = self.domain, self._folder("lake") / "spark"

        def committed() -> dict[str, int]:
            return checkpoint_position(lake, domain.topic) or self.progress.position(f"lake:{domain.name}")

        filler = Filler(
            self.settings, domain, self._folder("live"), committed, self.progress, dedup, position.shift
        )  # fmt: skip
        filler.report()
        return filler


def check_served(settings: Settings, domain: Domain) -> None:
    """Raises ContractMismatch where a table of ClickHouse differs from its contract in a way that needs a migration."""
    client = clickhouse(settings)
    try:
        wanted = [*domain.served_tables, find("ops.quarantine")]
        differences = live_tables.differences_clickhouse(client, wanted)
    finally:
        client.close()
    if refused := [difference for difference in differences if not difference.statement]:
        raise live_tables.ContractMismatch(refused)
