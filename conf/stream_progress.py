"""The ends of topics, the positions of the streams in them, and waiting until the streams have reached the ends."""

from __future__ import annotations

import json
import logging
import time
import urllib.request
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conf.connect import kafka_config
from conf.settings import LOOPBACK, Settings

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

PAUSE_SECONDS = 0.3
Offsets = Mapping[str, int]
"""The next offset by partition; partitions are written as text."""


class Unsettled(Exception):
    """The streams have not reached the ends; the message says what is missing."""


def kafka_admin(settings: Settings) -> AdminClient:
    """Kafka's administration client. Errors are raised, so it need not write to stderr."""
    from confluent_kafka.admin import AdminClient

    logger = logging.getLogger("sauda.librdkafka")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    options = kafka_config(settings) | {"socket.timeout.ms": 20_000, "log_level": 0}
    return AdminClient(options, logger=logger)


def accepted_file(settings: Settings, topic: str) -> Path:
    """The file that records accepted losses of a topic; the stream reads it when it starts."""
    return settings.run / "accepted-losses" / f"{topic}.json"


def topic_ends(
    settings: Settings, topics: Collection[str] = (), *, committed: bool = False
) -> dict[str, dict[str, int]]:
    """By topic and partition the offset after the last event; of all topics where none is named.

    With `committed` only as far as can be read: events behind a transaction that is still open wait for its end.

    Raises KeyError for a topic that the broker has not, KafkaException where it does not answer.
    """
    from confluent_kafka import IsolationLevel, TopicPartition
    from confluent_kafka.admin import OffsetSpec

    admin = kafka_admin(settings)
    known = admin.list_topics(timeout=20).topics
    wanted = topics or [name for name in known if not name.startswith("__")]
    partitions = {TopicPartition(name, p): OffsetSpec.latest() for name in wanted for p in known[name].partitions}
    ends: dict[str, dict[str, int]] = {}
    level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
    for place, future in admin.list_offsets(partitions, isolation_level=level, request_timeout=20).items():
        ends.setdefault(place.topic, {})[str(place.partition)] = future.result().offset
    return ends


def held_back(settings: Settings, topics: Collection[str] = ()) -> list[str]:
    """A sentence for each partition in which a transaction that is still open keeps events from being read.

    Kafka ends such a transaction when its producer's `transaction.timeout.ms` is over, 15 minutes at most.
    """
    # In this order, so that what is committed in between does not look as if it were held back.
    ends = topic_ends(settings, topics)
    readable = topic_ends(settings, topics, committed=True)
    return [
        f"an open transaction of a producer holds back {end - readable[topic][partition]:,} events of {topic} "
        f"(partition {partition}, from offset {readable[topic][partition]:,})"
        for topic, partitions in ends.items()
        for partition, end in partitions.items()
        if readable[topic][partition] < end
    ]


def stream_addresses(settings: Settings) -> list[str]:
    """The addresses of the streaming processes' progress, one a process."""
    return [f"http://{LOOPBACK}:{settings.port('metrics') + n}" for n in range(len(settings.stream_groups))]


def stream_progress(settings: Settings) -> dict[str, Any]:
    """The progress of all streaming processes together. Raises OSError while one of them does not answer."""
    answers = []
    for address in stream_addresses(settings):
        with urllib.request.urlopen(f"{address}/progress", timeout=10) as answer:
            answers.append(json.load(answer))
    return merged(answers)


def merged(answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The answers of the streaming processes at /progress as those of one process. Each query runs in one of them."""
    return {
        "ready": all(answer["ready"] for answer in answers),
        "started_at": min(answer["started_at"] for answer in answers),
        "queries": {name: query for answer in answers for name, query in answer["queries"].items()},
        "fills": {name: fill for answer in answers for name, fill in answer["fills"].items()},
    }


def behind(progress: Mapping[str, Any], ends: Mapping[str, Offsets], lanes: Collection[str] = ()) -> dict[str, int]:
    """By query the number of events of the topics that it has not committed yet; queries without any are left out.

    Queries are called ``lane:domain``; `lanes` takes only some of them. A fill loads from the lake what no live lane
    brings, and counts as a lane of its own; one that has an end has to reach that only.
    """
    missing = {}
    for name, query in {**progress.get("queries", {}), **progress.get("fills", {})}.items():
        if lanes and name.partition(":")[0] not in lanes:
            continue
        lacking = _lacks(query, ends.get(query.get("topic", ""), {}))
        if lacking:
            missing[name] = lacking
    return missing


def _lacks(query: Mapping[str, Any], ends: Offsets) -> int:
    reached, until = query.get("next_offsets") or {}, query.get("until_offsets")
    if until is not None:
        ends = {partition: min(end, until.get(partition, 0)) for partition, end in ends.items()}
    return sum(max(0, end - int(reached.get(partition, 0))) for partition, end in ends.items())


def lag(query: Mapping[str, Any], ends: Mapping[str, Offsets]) -> int | None:
    """Events of its topic that a query or a fill has not committed; None where that is not known.

    A query reports its position when it starts, so one without a position has not started. A fill may have none.
    """
    is_known = "until_offsets" in query or query.get("next_offsets")
    wanted = ends.get(query.get("topic", ""))
    return _lacks(query, wanted) if is_known and wanted is not None else None


def settle(
    settings: Settings, topics: Sequence[str], seconds: float, say: Callable[[str], None], lanes: Collection[str] = ()
) -> None:
    """Wait until the streams have read what the topics hold now, and ClickHouse has it.

    Open transactions are waited for too: events behind them were acknowledged.

    `say` is called with what is missing, at each check. Raises Unsettled after so many seconds.
    """
    ends = topic_ends(settings, topics)
    deadline = time.monotonic() + seconds
    before = ""
    while True:
        try:
            progress = stream_progress(settings)
        except (OSError, ValueError):
            lacking = "the stream does not answer"
        else:
            lacking = _lacking(progress, ends, lanes)
        if not lacking:
            return
        if lacking == before:
            # Nothing moves, perhaps because of an open transaction.
            lacking = "; ".join([lacking, *held_back(settings, topics)])
        else:
            before = lacking
        if time.monotonic() > deadline:
            raise Unsettled(f"After {seconds:,.0f} s {lacking}.")
        say(lacking)
        time.sleep(PAUSE_SECONDS)


def _lacking(progress: Mapping[str, Any], ends: Mapping[str, Offsets], lanes: Collection[str]) -> str:
    """What is missing, in words; empty where nothing is."""
    if not progress.get("ready"):
        return "the stream's queries are still starting"
    served = {query.get("topic") for query in progress.get("queries", {}).values()}
    for topic in ends:
        if topic not in served:
            return f"no query of the stream reads {topic}"
    entries = {**progress.get("queries", {}), **progress.get("fills", {})}
    lacking = behind(progress, ends, lanes)
    why = {name: entries[name].get("error") for name in lacking}
    return ", ".join(f"{n} lacks {count:,}" + (f" ({why[n]})" if why[n] else "") for n, count in lacking.items())
