"""The collector as a process that is watched: its memory as rows come in, and what it repeats after a kill -9."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psutil
from confluent_kafka import Consumer, TopicPartition

from conf import REPOSITORY, Settings
from conf.connect import consumer_config
from conf.stream_progress import topic_ends
from infra.local.errors import Failed
from infra.local.processes import children
from infra.local.tools import java

LOOK_EVERY = 0.1
COUNT_EVERY = 0.5
QUARTERS = (25, 50, 75, 100)
Sample = tuple[int, int]
"""Rows in Kafka, and the resident bytes of the collector then."""


@dataclass(frozen=True)
class Run:
    """Rows, seconds, resident memory at its most and after each quarter of the rows, in megabytes."""

    rows: int
    seconds: float
    peak_mb: int = 0
    quarters_mb: tuple[int, ...] = ()

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def held(settings: Settings, topic: str) -> int:
    """Records in a topic."""
    return sum(topic_ends(settings, [topic])[topic].values())


def started(
    settings: Settings, words: Sequence[str], part: str, more: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    """``python -m WORDS`` as a part of the stack."""
    env = children.environment(settings, java.remembered(settings), f"bench-{part}") | (more or {})
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-m", *words], cwd=REPOSITORY, env=env, text=True, stdout=pipe, stderr=pipe
    )


def watched(
    settings: Settings, words: Sequence[str], part: str, more: dict[str, str] | None = None, topic: str = ""
) -> Run:
    """A module to its end, which it tells as a line of JSON. Memory after each quarter is that of rows in `topic`."""
    began, peak = time.monotonic(), 0
    samples: list[Sample] = []
    with started(settings, words, part, more) as process:
        outputs: list[tuple[str, str]] = []
        listener = threading.Thread(target=lambda: outputs.append(process.communicate()))
        listener.start()
        family = psutil.Process(process.pid)
        count_at = began
        while process.poll() is None:
            try:
                resident = family.memory_info().rss
            except psutil.NoSuchProcess:
                break
            peak = max(peak, resident)
            if topic and time.monotonic() >= count_at:
                samples.append((held(settings, topic), resident))
                count_at = time.monotonic() + COUNT_EVERY
            time.sleep(LOOK_EVERY)
        listener.join()
    seconds = time.monotonic() - began
    out, err = outputs[0]
    if process.returncode:
        raise Failed(f"{words[0]} ended with code {process.returncode}:\n{out[-500:]}\n{err[-1500:]}")
    measured: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    rows = int(measured.get("acknowledged", measured.get("rows", 0)))
    return Run(rows, float(measured.get("seconds", seconds)), peak >> 20, quarters(samples, rows))


def quarters(samples: Sequence[Sample], rows: int) -> tuple[int, ...]:
    """Megabytes at the first sample that has each quarter of the rows, or at the last one before the end."""
    if not samples:
        return ()
    reached = (next((r for n, r in samples if n * 100 >= rows * share), samples[-1][1]) for share in QUARTERS)
    return tuple(resident >> 20 for resident in reached)


def killed(settings: Settings, words: Sequence[str], topic: str, rows: int) -> int:
    """Start a module and end it with kill -9 once so many rows are in the topic; how many were there then."""
    with started(settings, words, "killed") as process:
        drained = threading.Thread(target=process.communicate)
        drained.start()
        while (there := held(settings, topic)) < rows:
            if process.poll() is not None:
                raise Failed(f"{words[0]} ended before {rows:,} rows were in the topic, at {there:,}.")
            time.sleep(0.02)
        process.kill()
        drained.join()
    return held(settings, topic)


def repeated(ids: Iterable[str]) -> dict[str, int]:
    """By register: how many of these events, named `collection:register:…`, are there once more than needed."""
    seen: set[int] = set()
    again: Counter[str] = Counter()
    for event_id in ids:
        mark = hash(event_id)
        if mark in seen:
            again[event_id.split(":")[1]] += 1
        seen.add(mark)
    return dict(again)


def event_ids(settings: Settings, topic: str) -> Iterable[str]:
    """The ce_id of each event that a topic has now."""
    ends = topic_ends(settings, [topic])[topic]
    left = sum(ends.values())
    consumer = Consumer(consumer_config(settings, "bench-collect"))
    with contextlib.closing(consumer):
        consumer.assign([TopicPartition(topic, int(partition), 0) for partition in ends])
        deadline = time.monotonic() + 120 + left / 5_000
        while left > 0:
            if time.monotonic() > deadline:
                raise Failed(f"Kafka does not give back the last {left:,} events of {topic}.")
            for record in consumer.consume(10_000, 1.0):
                if record.error() is None:
                    left -= 1
                    yield dict(record.headers() or [])["ce_id"].decode()
