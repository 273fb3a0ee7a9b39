"""Offsets that Kafka no longer has although they were not read yet, and how a lane goes on without them.

Kafka loses offsets when it deletes old segments, when a topic is deleted and created again, and when its log is
truncated. To go on without a word would hide the loss, and to fail for ever would help nobody: the lake lane waits and
says what is missing. `./start.sh accept-loss TOPIC` records that the loss is accepted and restarts the stream, which
then writes the loss to `ops.lost_offsets` and goes on behind it.

The live lane loses nothing by itself: the lake fills what it has not read.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from confluent_kafka import KafkaException

from conf import Settings
from conf.connect import clickhouse
from conf.stream_progress import accepted_file
from schemas.contract import contract
from schemas.derive import live_tables
from schemas.ops.tables import LostOffsets
from streaming.core import offset_shift
from streaming.core.bronze_position import read_position
from streaming.core.checkpoints import Offsets, checkpoint_position, topic_ends, topic_id
from streaming.core.domain import Domain
from streaming.core.offset_shift import OffsetShift

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

log = logging.getLogger("sauda.stream")
JOURNAL = contract(LostOffsets)
Reason = Literal["expired", "recreated"]


@dataclass(frozen=True)
class Loss:
    """The offsets of one partition from `begin` to before `end`; unknown for a topic that was created again."""

    topic: str
    partition: str
    reason: Reason
    begin: int
    end: int | None
    sentence: str

    @property
    def mark(self) -> tuple[str, str, int]:
        """Identifies a loss although it grows."""
        return self.partition, self.reason, self.begin


class OffsetsLost(Exception):
    """A lane cannot go on, because events that it had to read are gone."""

    def __init__(self, losses: Sequence[Loss]) -> None:
        super().__init__(" ".join(loss.sentence for loss in losses))
        self.losses = tuple(losses)


def find_losses(topic: str, position: Offsets, low: Offsets, high: Offsets, *, is_another: bool) -> tuple[Loss, ...]:
    """What is missing between a lane's position and the topic's offsets; `is_another` says that the topic was created
    again since."""
    losses: list[Loss] = []
    for partition, next_offset in sorted(position.items(), key=lambda pair: int(pair[0])):
        begin, end = low.get(partition, 0), high.get(partition, 0)
        if is_another or end < next_offset:
            what = "was created again" if is_another else "was truncated"
            losses.append(
                Loss(
                    topic, partition, "recreated", next_offset, None,
                    f"{topic}, partition {partition}: the topic {what}. Its offsets {next_offset:,} and beyond, as far "
                    f"as there were any, are gone; it has {begin:,} to {end:,} now.",
                )
            )  # fmt: skip
        elif begin > next_offset:
            losses.append(
                Loss(
                    topic, partition, "expired", next_offset, begin,
                    f"{topic}, partition {partition}: the offsets {next_offset:,} to {begin - 1:,} "
                    f"({begin - next_offset:,} events) are gone from Kafka; it begins at {begin:,}.",
                )
            )  # fmt: skip
    return tuple(losses) if any(position.values()) else ()


@dataclass(frozen=True)
class OffsetCheck:
    """A topic and a lane's position in it, in the topic's own offsets."""

    low: Offsets
    high: Offsets
    position: Offsets
    losses: tuple[Loss, ...]


class TopicPosition:
    """The positions of one domain's lanes in their topic."""

    def __init__(
        self, spark: SparkSession, settings: Settings, domain: Domain, shift: OffsetShift | None = None
    ) -> None:
        """Reads the shift from the lake where none is given."""
        self.spark, self.settings, self.domain = spark, settings, domain
        self.path = settings.table_path(domain.bronze.name)
        self.shift = offset_shift.read(settings, domain.bronze) if shift is None else shift
        self._id_file = self.folder("lake") / "topic.json"

    def folder(self, lane: str) -> Path:
        return Path(self.settings.checkpoints) / lane / self.domain.name

    def in_lake(self) -> Offsets:
        """The next offset of each partition after what the lake has, shifted."""
        return {p: offset + 1 for p, offset in read_position(self.spark, self.path).offsets.items()}

    def check(self, lane: str) -> OffsetCheck:
        """Compare a lane's position with the topic.

        Raises KafkaException where the broker does not answer, KeyError where it has no such topic.
        """
        topic = self.domain.topic
        low, high = topic_ends(self.settings, topic)
        position = checkpoint_position(self.folder(lane) / "spark", topic)
        if not position and lane == "lake":
            position = self.shift.original(self.in_lake())
        now, before = topic_id(self.settings, topic), self.shift.topic_id or self._saved_id()
        losses = find_losses(topic, position, low, high, is_another=bool(now and before and now != before))
        if lane == "lake" and now and not losses and now != before:
            self._save_id(now)
        return OffsetCheck(low, high, position, losses)

    def require(self, lane: str) -> OffsetCheck:
        """The same, for a lane that is about to start. Raises OffsetsLost where it must not start."""
        result = self.check(lane)
        # Expired offsets the live lane leaves to the lake.
        if grave := [loss for loss in result.losses if lane == "lake" or loss.reason == "recreated"]:
            raise OffsetsLost(grave)
        return result

    def apply_accepted(self) -> None:
        """Go on behind what is lost, where that was accepted. Call it while no lane runs."""
        file = accepted_file(self.settings, self.domain.topic)
        if not file.exists():
            return
        accepted = json.loads(file.read_text())
        try:
            result = self.check("lake")
        except (KafkaException, KeyError) as error:
            log.error("%s cannot be read, so its accepted losses are not applied: %s", self.domain.topic, error)
            return
        marks = {_mark(entry) for entry in accepted["losses"]}
        if any(loss.mark not in marks for loss in result.losses):
            log.warning("more of %s is lost than was accepted: accept it again", self.domain.topic)
            file.unlink()
            return
        if result.losses:
            self._skip(result)
            accepted["losses"] = [asdict(loss) for loss in result.losses]
            file.write_text(json.dumps(accepted))
        try:
            journal(self.settings, accepted)
        except Exception as error:
            # The journal is tried again at the next start; the events need not wait for it.
            log.error("the loss of %s is accepted and not in the journal yet: %s", self.domain.topic, error)
            return
        file.unlink()
        log.warning("%s goes on without what is lost", self.domain.topic)

    def _skip(self, result: OffsetCheck) -> None:
        """Interrupted anywhere, it can be repeated with the same result."""
        again = [loss.partition for loss in result.losses if loss.reason == "recreated"]
        if again:
            live = checkpoint_position(self.folder("live") / "spark", self.domain.topic)
            known = [self.in_lake(), self.shift.shifted(live)]
            ahead = dict(self.shift.ahead)
            for partition in again:
                # Also beyond what only the live lane has read: ClickHouse has these offsets.
                farthest = max(offsets.get(partition, 0) for offsets in known)
                ahead[partition] = farthest - result.low.get(partition, 0)
            self.shift = OffsetShift(topic_id(self.settings, self.domain.topic), ahead)
            offset_shift.write(self.spark, self.path, self.shift)
            shutil.rmtree(self.folder("live") / "spark", ignore_errors=True)
        shutil.rmtree(self.folder("lake") / "spark", ignore_errors=True)

    def starting_offsets(self, check: OffsetCheck) -> str:
        """Spark's startingOffsets for a lake lane without a checkpoint: after what bronze holds."""
        if not check.position:
            return "earliest"
        earliest = -2
        begin = {p: max(check.low.get(p, 0), offset) for p, offset in check.position.items()}
        return json.dumps({self.domain.topic: {p: begin.get(p, earliest) for p in check.high}})

    def _saved_id(self) -> str:
        return str(json.loads(self._id_file.read_text())["id"]) if self._id_file.exists() else ""

    def _save_id(self, topic_id: str) -> None:
        self._id_file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._id_file.with_suffix(".new")
        fresh.write_text(json.dumps({"id": topic_id}))
        fresh.replace(self._id_file)


def _mark(entry: Mapping[str, Any]) -> tuple[str, str, int]:
    return str(entry["partition"]), str(entry["reason"]), int(entry["begin"])


def journal(settings: Settings, accepted: Mapping[str, Any]) -> None:
    """Write what was accepted to `ops.lost_offsets`; repeated, it changes nothing."""
    at = datetime.fromisoformat(accepted["accepted_at"]).astimezone(UTC)
    rows = [
        [at, e["topic"], int(e["partition"]), e["reason"], int(e["begin"]), e["end"], e["sentence"]]
        for e in accepted["losses"]
    ]
    client = clickhouse(settings)
    try:
        live_tables.apply_clickhouse(client, [JOURNAL])
        columns = [c.name for c in JOURNAL.serving_columns]
        client.insert(JOURNAL.name, rows, column_names=columns)
    finally:
        client.close()
