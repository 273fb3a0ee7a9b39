"""What a topic no longer has of what was still to be read, and going on without it once a person has said so.

Kafka loses offsets when it drops old segments before they were read, when a topic is made anew, and when its log was
cut. Going on in silence would be wrong, and so is failing for ever: the lake lane waits and says what is missing.
`./start.sh accept-loss TOPIC` writes down that this is accepted and starts the stream again, which then journals the
loss in `ops.lost_offsets` and goes on behind it.

The live lane loses nothing by itself: what it has not read, the lake fills.
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
from streaming.core.bronze_position import reached
from streaming.core.checkpoints import Offsets, checkpoint_position, topic_ends, topic_id
from streaming.core.domain import Domain
from streaming.core.offset_shift import Numbering

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

log = logging.getLogger("sauda.stream")
JOURNAL = contract(LostOffsets)
Reason = Literal["expired", "recreated"]


@dataclass(frozen=True)
class Loss:
    """Events of one partition from `begin` to before `end`; where the topic is another now, nobody knows the end."""

    topic: str
    partition: str
    reason: Reason
    begin: int
    end: int | None
    sentence: str

    @property
    def mark(self) -> tuple[str, str, int]:
        """What stays the same while more is lost."""
        return self.partition, self.reason, self.begin


class OffsetsLost(Exception):
    """A lane cannot go on: some of what it was to read is gone."""

    def __init__(self, losses: Sequence[Loss]) -> None:
        super().__init__(" ".join(loss.sentence for loss in losses))
        self.losses = tuple(losses)


def losses(topic: str, position: Offsets, low: Offsets, high: Offsets, *, is_another: bool) -> tuple[Loss, ...]:
    """What is missing between a lane's position and what the topic has; `is_another`: it was made anew since."""
    found = []
    for partition, next_offset in sorted(position.items(), key=lambda pair: int(pair[0])):
        begin, end = low.get(partition, 0), high.get(partition, 0)
        if is_another or end < next_offset:
            what = "was made anew" if is_another else "was cut off"
            found.append(
                Loss(
                    topic, partition, "recreated", next_offset, None,
                    f"{topic}, partition {partition}: the topic {what}. Its offsets {next_offset:,} and beyond, as far "
                    f"as there were any, are gone; it has {begin:,} to {end:,} now.",
                )
            )  # fmt: skip
        elif begin > next_offset:
            found.append(
                Loss(
                    topic, partition, "expired", next_offset, begin,
                    f"{topic}, partition {partition}: the offsets {next_offset:,} to {begin - 1:,} "
                    f"({begin - next_offset:,} events) are gone from Kafka; it begins at {begin:,}.",
                )
            )  # fmt: skip
    return tuple(found) if any(position.values()) else ()


@dataclass(frozen=True)
class Look:
    """A topic and a lane's position in it, in the topic's own offsets."""

    low: Offsets
    high: Offsets
    position: Offsets
    losses: tuple[Loss, ...]


class Place:
    """Where one domain's lanes stand in their topic."""

    def __init__(self, spark: SparkSession, settings: Settings, domain: Domain) -> None:
        self.spark, self.settings, self.domain = spark, settings, domain
        self.path = settings.table_path(domain.bronze.name)
        self.numbering = offset_shift.read(settings, domain.bronze)
        self._note = self.folder("lake") / "topic.json"

    def folder(self, lane: str) -> Path:
        return Path(self.settings.checkpoints) / lane / self.domain.name

    def in_lake(self) -> Offsets:
        """The next offset of each partition that the lake has, as it counts them."""
        return {p: offset + 1 for p, offset in reached(self.spark, self.path).offsets.items()}

    def look(self, lane: str) -> Look:
        """Raises KafkaException where the broker does not answer, KeyError where it has no such topic."""
        topic = self.domain.topic
        low, high = topic_ends(self.settings, topic)
        position = checkpoint_position(self.folder(lane) / "spark", topic)
        if not position and lane == "lake":
            position = self.numbering.own(self.in_lake())
        now, before = topic_id(self.settings, topic), self.numbering.topic_id or self._noted()
        found = losses(topic, position, low, high, is_another=bool(now and before and now != before))
        if lane == "lake" and now and not found and now != before:
            self._keep(now)
        return Look(low, high, position, found)

    def need(self, lane: str) -> Look:
        """The same, for a lane that is about to begin. Raises OffsetsLost where it must not."""
        found = self.look(lane)
        # What has only passed, the live lane leaves to the lake.
        if grave := [loss for loss in found.losses if lane == "lake" or loss.reason == "recreated"]:
            raise OffsetsLost(grave)
        return found

    def settle(self) -> None:
        """Go on behind what is lost, where that was accepted. To be called while no lane runs."""
        file = accepted_file(self.settings, self.domain.topic)
        if not file.exists():
            return
        accepted = json.loads(file.read_text())
        try:
            found = self.look("lake")
        except (KafkaException, KeyError) as error:
            log.error("%s cannot be looked at, so what it lost is not settled: %s", self.domain.topic, error)
            return
        if found.losses and not {loss.mark for loss in found.losses} <= {_mark(entry) for entry in accepted["losses"]}:
            log.warning("more of %s is lost than was accepted: accept it again", self.domain.topic)
            file.unlink()
            return
        if found.losses:
            self._pass(found)
            accepted["losses"] = [asdict(loss) for loss in found.losses]
            file.write_text(json.dumps(accepted))
        try:
            journal(self.settings, accepted)
        except Exception as error:
            # Told again at the next start; what is to be read does not wait for it.
            log.error("the loss of %s is accepted and not in the journal yet: %s", self.domain.topic, error)
            return
        file.unlink()
        log.warning("%s goes on without what is lost", self.domain.topic)

    def _pass(self, found: Look) -> None:
        """Cut off anywhere, it is done again with the same result."""
        again = [loss.partition for loss in found.losses if loss.reason == "recreated"]
        if again:
            live = checkpoint_position(self.folder("live") / "spark", self.domain.topic)
            known = [self.in_lake(), self.numbering.counted(live)]
            ahead = dict(self.numbering.ahead)
            for partition in again:
                # Also beyond what only the live lane has read: ClickHouse has these places.
                farthest = max(offsets.get(partition, 0) for offsets in known)
                ahead[partition] = farthest - found.low.get(partition, 0)
            self.numbering = Numbering(topic_id(self.settings, self.domain.topic), ahead)
            offset_shift.write(self.spark, self.path, self.numbering)
            shutil.rmtree(self.folder("live") / "spark", ignore_errors=True)
        shutil.rmtree(self.folder("lake") / "spark", ignore_errors=True)

    def start(self, look: Look) -> str:
        """Where a lake lane without a checkpoint begins, as Spark's startingOffsets: after what bronze holds."""
        if not look.position:
            return "earliest"
        earliest = -2
        begin = {p: max(look.low.get(p, 0), offset) for p, offset in look.position.items()}
        return json.dumps({self.domain.topic: {p: begin.get(p, earliest) for p in look.high}})

    def _noted(self) -> str:
        return str(json.loads(self._note.read_text())["id"]) if self._note.exists() else ""

    def _keep(self, topic_id: str) -> None:
        self._note.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._note.with_suffix(".new")
        fresh.write_text(json.dumps({"id": topic_id}))
        fresh.replace(self._note)


def _mark(entry: Mapping[str, Any]) -> tuple[str, str, int]:
    return str(entry["partition"]), str(entry["reason"]), int(entry["begin"])


def journal(settings: Settings, accepted: Mapping[str, Any]) -> None:
    """Add what was accepted to `ops.lost_offsets`; the same again changes nothing."""
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
