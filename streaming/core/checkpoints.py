"""The position of a query in its checkpoint, and the ends of its topic."""

from __future__ import annotations

import json
from pathlib import Path

from confluent_kafka import Consumer, TopicCollection, TopicPartition

from conf import Settings
from conf.connect import consumer_config
from conf.stream_progress import kafka_admin

Offsets = dict[str, int]
"""The next offset by partition; Spark writes partitions as text."""


def topic_ends(settings: Settings, topic: str) -> tuple[Offsets, Offsets]:
    """The first and the next offset of each partition; the next is that up to which one can read now.

    A query cannot begin behind a transaction that is still open. Raises KafkaException where the broker doesn't answer.
    """
    consumer = Consumer(consumer_config(settings, "sauda-ends"))
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        marks = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=20) for p in partitions}
        return {str(p): low for p, (low, _) in marks.items()}, {str(p): high for p, (_, high) in marks.items()}
    finally:
        consumer.close()


def topic_id(settings: Settings, topic: str) -> str:
    """The id that Kafka gave the topic when it was created; empty where the broker returns none."""
    # Its result needs the client to be alive.
    admin = kafka_admin(settings)
    (described,) = admin.describe_topics(TopicCollection([topic]), request_timeout=20).values()
    return str(described.result().topic_id or "")


def checkpoint_position(checkpoint: Path, topic: str) -> Offsets:
    """The next offsets of a query by its checkpoint; empty without one."""
    commits = [int(f.name) for f in (checkpoint / "commits").glob("*") if f.name.isdigit()]
    if not commits:
        return {}
    lines = (checkpoint / "offsets" / str(max(commits))).read_text().splitlines()
    return dict(json.loads(lines[-1]).get(topic, {}))


def checkpoint_id(checkpoint: Path) -> str:
    """The id of a checkpoint. Another checkpoint in the same folder has another id."""
    return str(json.loads((checkpoint / "metadata").read_text())["id"])
