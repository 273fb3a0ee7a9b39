"""Simulated purchases, sent to Kafka."""

from __future__ import annotations

from infra.local.start import summary
from infra.local.start.run import COUNTED, DomainStep, Run
from infra.local.steps import Say, Step

EVENTS = 20_000
FAULTS = ("--duplicates", "0.01", "--poison", "0.005")


def steps(run: Run) -> list[DomainStep]:
    """Sending begins as soon as there is a topic; the stream finds the events waiting."""

    def send(_: Say) -> str:
        account = run.send(EVENTS, *FAULTS)
        return f"{account['acknowledged']:,} events"

    return [DomainStep(Step(summary.SENT, send, after=(summary.TOPICS, COUNTED)), sends_events=True)]
