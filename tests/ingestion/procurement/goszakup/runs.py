"""One run against the fakes, as the command line would make it, without its screen."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console

from ingestion.collecting.outbox import Outbox
from ingestion.collecting.progress import Progressing
from ingestion.collecting.run_stats import Tallies, Tally
from ingestion.collecting.state import State
from ingestion.procurement.goszakup.collector_run import Run
from ingestion.procurement.goszakup.plan import Asked, made
from ingestion.procurement.goszakup.service import goszakup_client, goszakup_state_path
from schemas.procurement import TOPIC
from tests.ingestion.procurement.goszakup.fakes import FakeGoszakup, FakeKafka, FakeTime, chosen

TODAY = date(2026, 2, 10)


@dataclass
class Outcome:
    """A run that ended: its sentences, what it printed, and what it counted."""

    said: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    tallies: Tallies = field(default_factory=Tallies)

    def tally(self, name: str) -> Tally:
        return self.tallies.found[name]


def collect(
    service: FakeGoszakup, folder: Path, kafka: FakeKafka, *names: str, today: date = TODAY, since: date | None = None,
    full: bool = False, details: tuple[str, ...] = (), **more: Any,
) -> Outcome:  # fmt: skip
    """Collect what these registers, or all of them, have to give."""
    settings = chosen(folder, service.url, **more)
    asked = Asked(names, since, full, details)
    outcome, time = Outcome(), FakeTime()
    with State(goszakup_state_path(settings)) as state:
        plan = made(state, asked, today, settings.goszakup_page_limit)
        run = Run(
            asked, plan, goszakup_client(settings, sleep=time.sleep, clock=time), Outbox(kafka, TOPIC), state, today,
            settings.goszakup_page_limit, 0.0, outcome.said.append, outcome.shown.append, outcome.tallies,
        )  # fmt: skip
        with Progressing(Console(quiet=True), "test", run.tallies, run.client.limiter) as progressing:
            asyncio.run(run.carry_out(progressing))
    return outcome
