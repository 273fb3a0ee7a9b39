"""The streaming queries: how a lane reads Kafka, and how it starts again after an error."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conf import Settings
from conf.connect import kafka_spark_options
from streaming.core.checkpoints import Offsets
from streaming.core.lost_offsets import OffsetsLost
from streaming.core.offset_shift import NO_SHIFT, OffsetShift
from streaming.core.progress import Progress

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

log = logging.getLogger("sauda.stream")
MAX_WAIT_SECONDS = 15.0


@dataclass(frozen=True)
class Lane:
    """One query: its topic, its starting offsets where there is no checkpoint, and what is done with a batch.

    `shape` is applied to Kafka's rows once, as part of the query; `handle` gets a batch of its result.

    A batch starts when `batch_events` wait, or `trigger_seconds` after the last one, whichever is first. So a backlog
    is processed without pauses.
    """

    name: str
    topic: str
    checkpoint: Path
    trigger_seconds: float
    batch_events: int
    starting_offsets: Callable[[], str]
    handle: Callable[[DataFrame, int], dict[str, int]]
    pool: str
    shape: Callable[[DataFrame], DataFrame] = lambda kafka: kafka
    check_topic: Callable[[], Offsets] = dict
    """Returns the ends of the topic before the query starts. Raises OffsetsLost where it must not start."""
    shift: OffsetShift = NO_SHIFT


class QueryRunner(threading.Thread):
    """Keeps one query running until `stop`. It waits for parts that are down."""

    def __init__(self, spark: SparkSession, settings: Settings, lane: Lane, progress: Progress) -> None:
        super().__init__(name=lane.name, daemon=True)
        self.spark, self.settings, self.lane, self.progress = spark, settings, lane, progress
        self._stopping = threading.Event()
        self._query: StreamingQuery | None = None
        self._last_sentence = ""

    def run(self) -> None:
        wait = 1.0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._query = self._start()
                if self._stopping.is_set():
                    self._query.stop()
                self.progress.set(self.lane.name, state="running")
                while not self._query.awaitTermination(1):
                    self._report(self._query)
                return
            except OffsetsLost as lost:
                self._wait_for_acceptance(lost)
            except Exception as error:
                # Whatever it was, the checkpoint is there: the same batch is repeated.
                if self._stopping.is_set():
                    return
                wait = 1.0 if time.monotonic() - began > 60 else min(wait * 2, MAX_WAIT_SECONDS)
                reason = sentence(error)
                log.error("%s stopped: %s; it starts again in %.0f s", self.lane.name, reason, wait)
                self.progress.restarted(self.lane.name, reason, wait)
                self._stopping.wait(wait)

    def _wait_for_acceptance(self, lost: OffsetsLost) -> None:
        """Only a person can accept the loss; meanwhile the topic is checked again, for it may lose more."""
        text = f"{lost} ./start.sh accept-loss {self.lane.topic} goes on without them."
        if text != self._last_sentence:
            self._last_sentence = text
            log.error("%s waits: %s", self.lane.name, text)
        self.progress.lost(self.lane.name, [asdict(loss) for loss in lost.losses], text)
        self._stopping.wait(MAX_WAIT_SECONDS)

    def stop(self) -> None:
        """Stop after the batch at hand."""
        self._stopping.set()
        if self._query is not None and self._query.isActive:
            self._query.stop()

    def _start(self) -> StreamingQuery:
        lane = self.lane
        ends = lane.check_topic()
        start = lane.starting_offsets()
        self._report_start(start, ends)
        self.spark.sparkContext.setLocalProperty("spark.scheduler.pool", lane.pool)
        source = self.spark.readStream.format("kafka")
        if lane.trigger_seconds:
            source = source.option("minOffsetsPerTrigger", lane.batch_events)
            source = source.option("maxTriggerDelay", f"{int(lane.trigger_seconds * 1000)}ms")
        events = (
            source.options(**kafka_spark_options(self.settings))
            .option("subscribe", lane.topic)
            .option("startingOffsets", start)
            .option("maxOffsetsPerTrigger", lane.batch_events)
            .option("includeHeaders", "true")
            .option("kafka.max.partition.fetch.bytes", 16_777_216)
            .option("kafka.fetch.max.bytes", 67_108_864)
            # Else a batch after a pause waits half a second for a fetch that was sent while there was nothing.
            .option("kafka.fetch.max.wait.ms", 50)
            .load()
        )
        return (
            lane.shape(lane.shift.applied(events))
            .writeStream.queryName(lane.name)
            .trigger(processingTime="500 milliseconds" if lane.trigger_seconds else "0 seconds")
            .option("checkpointLocation", str(lane.checkpoint / "spark"))
            .foreachBatch(self._batch)
            .start()
        )

    def _report_start(self, start: str, ends: Offsets) -> None:
        """Report the starting offsets, so that the lag is known before the first batch is done."""
        position = _offsets(start, self.lane.topic) if start.startswith("{") else {}
        position = {p: max(0, offset) for p, offset in position.items()}
        self.progress.set(self.lane.name, lost=[])
        if ends:
            lag = sum(max(0, end - position.get(p, 0)) for p, end in ends.items())
            self.progress.offsets(self.lane.name, {p: position.get(p, 0) for p in ends}, lag)

    def _batch(self, batch: DataFrame, batch_id: int) -> None:
        began = time.monotonic()
        try:
            outcomes = self.lane.handle(batch, batch_id)
        except Exception as error:
            # Spark would put the stack traces of both languages into the message, twice.
            log.debug("%s, batch %d", self.lane.name, batch_id, exc_info=True)
            raise RuntimeError(sentence(error)) from None
        self.progress.batch(self.lane.name, batch_id, time.monotonic() - began, **outcomes)

    def _report(self, query: StreamingQuery) -> None:
        """Report the query's position, by Spark's own report of the last batch."""
        last: Any = query.lastProgress
        if not last or not last["sources"]:
            return
        source = last["sources"][0]
        position, latest = (_offsets(source.get(k), self.lane.topic) for k in ("endOffset", "latestOffset"))
        lag = sum(max(0, latest[p] - position.get(p, 0)) for p in latest)
        self.progress.offsets(self.lane.name, position, lag)


def _offsets(value: Any, topic: str) -> dict[str, int]:
    offsets = json.loads(value) if isinstance(value, str) else value
    return dict((offsets or {}).get(topic, {}))


def sentence(error: BaseException) -> str:
    """The first line of the innermost cause that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by:")]
    chosen = causes[-1].removeprefix("Caused by:").strip() if causes else (lines[0] if lines else type(error).__name__)
    return chosen[:300]
