"""What became of a run's events: waits until lake and ClickHouse have them, and asks ClickHouse.

A run's events are those between the first and the last offset that Kafka acknowledged to it, of its own source. What
was known before keeps the place of its first arrival, so it is not among them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from conf import Settings
from conf.connect import clickhouse
from conf.stream_progress import Unsettled, settle, stream_progress

SAY_SECONDS = 5.0
Reached = Mapping[int, tuple[int, int]]
"""Partition → the first and the last offset of the run's events in it."""


class QueryClient(Protocol):
    """What is needed of a client of ClickHouse."""

    def query(self, query: str, parameters: dict[str, Any]) -> Any: ...


@dataclass(frozen=True)
class Outcome:
    """Numbers of events: `corrected` of the accepted ones replace an earlier one; `known` were there before."""

    sent: int
    accepted: int
    corrected: int
    quarantined: int
    known: int
    reasons: list[tuple[str, int, str]] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)

    def sentences(self, source: str) -> list[str]:
        """For people."""
        parts = [f"{self.accepted:,} accepted"]
        if self.corrected:
            parts[0] += f" ({self.corrected:,} of them in the place of an earlier one: SELECT * FROM ops.corrections)"
        if self.known:
            parts.append(f"{self.known:,} known before, which changes nothing")
        parts.append(f"{self.quarantined:,} in quarantine")
        sentences_of_all = [f"Of {self.sent:,} events: {', '.join(parts)}."]
        sentences_of_all += [f"  {count:,} × {rule}, as in: {sentence}" for rule, count, sentence in self.reasons]
        if self.quarantined:
            query = f"SELECT rule, sentence, value FROM ops.quarantine WHERE source = '{source}'"
            sentences_of_all.append(f'  All of them: ./start.sh sql "{query}"')
        return sentences_of_all


AskOutcome = Callable[[QueryClient, str, Reached, int], Outcome]
"""Asks what became of the events of these offsets: with a client, their ``ce_source``, and how many were sent."""


def await_outcome(
    settings: Settings, topic: str, source: str, reached: Reached, sent: int, seconds: float,
    say: Callable[[str], None], ask: AskOutcome,
) -> Outcome | str:  # fmt: skip
    """What became of them, or the sentence that says why it is not known. Waits for so many seconds at most."""
    from confluent_kafka import KafkaException

    later = f"It goes on by itself; ask later: ./start.sh settle {topic}, and SELECT * FROM ops.refusals."
    try:
        stream_progress(settings)
    except (OSError, ValueError):
        return (
            "The stream does not answer, so nothing is known yet of what becomes of them. They are safe in Kafka: "
            "./start.sh status shows what is to be started."
        )
    try:
        settle(settings, [topic], seconds, _now_and_then(say))
    except Unsettled as late:
        return f"Stopped waiting for lake and ClickHouse. {late} {later}"
    except (KafkaException, KeyError) as problem:
        return f"Kafka does not say how far the topic goes ({problem}). {later}"
    try:
        return ask(clickhouse(settings, reader=True), source, counted(stream_progress(settings), topic, reached), sent)
    except Exception as problem:
        # The client has errors of several libraries; a run that is acknowledged must not end as a failed one.
        return f"ClickHouse does not say what became of them ({str(problem).splitlines()[0][:200]}). {later}"


def counted(progress: Mapping[str, Any], topic: str, reached: Reached) -> Reached:
    """The offsets as the lake counts them: of a topic that was made anew it counts on from the former one's."""
    lanes = [q for name, q in progress.get("queries", {}).items() if name.startswith("lake:") and q["topic"] == topic]
    ahead = lanes[0].get("ahead", {}) if lanes else {}
    return {p: (first + ahead.get(str(p), 0), last + ahead.get(str(p), 0)) for p, (first, last) in reached.items()}


def within(reached: Reached, partition: str, offset: str) -> str:
    """These offsets as a condition in SQL, over columns of these names."""
    ranges = [f"({partition} = {p} AND {offset} BETWEEN {first} AND {last})" for p, (first, last) in reached.items()]
    return f"({' OR '.join(ranges) or 'false'})"


def _now_and_then(say: Callable[[str], None]) -> Callable[[str], None]:
    """Says what is lacking at once, and then every few seconds."""
    last = time.monotonic() - SAY_SECONDS + 1.0

    def say_now_and_then(lacking: str) -> None:
        nonlocal last
        if time.monotonic() - last >= SAY_SECONDS:
            last = time.monotonic()
            say(f"Waiting for lake and ClickHouse (Ctrl-C stops the waiting, nothing else): {lacking}.")

    return say_now_and_then
