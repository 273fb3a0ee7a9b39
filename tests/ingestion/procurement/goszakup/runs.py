"""One run against the fakes, as the command line would make it, without its screen."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console

from ingestion.collecting.outbox import Outbox
from ingestion.collecting.progress import CollectionProgress
from ingestion.collecting.run_stats import EndpointStats, RunStats
from ingestion.collecting.state import State
from ingestion.procurement.goszakup.collection_run import CollectionRun
from ingestion.procurement.goszakup.plan import CollectionRequest, make_plan
from ingestion.procurement.goszakup.service import goszakup_client, goszakup_state_path
from schemas.procurement import TOPIC
from tests.ingestion.procurement.goszakup.fakes import FakeGoszakup, FakeKafka, FakeTime, chosen

TODAY = date(2026, 2, 10)


@dataclass
class Outcome:
    """A run that ended: its sentences, what it printed, and what it counted."""

    sentences: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    run_stats: RunStats = field(default_factory=RunStats)

    def stats(self, name: str) -> EndpointStats:
        return self.run_stats.by_name[name]


def collect(
    service: FakeGoszakup, folder: Path, kafka: FakeKafka, *names: str, today: date = TODAY, since: date | None = None,
    full: bool = False, details: tuple[str, ...] = (), **more: Any,
) -> Outcome:  # fmt: skip
    """Collect what these registers, or all of them, have to give."""
    settings = chosen(folder, service.url, **more)
    requests = CollectionRequest(names, since, full, details)
    outcome, time = Outcome(), FakeTime()
    with State(goszakup_state_path(settings)) as state:
        plan = make_plan(state, requests, today, settings.goszakup_page_limit)
        run = CollectionRun(
            requests, plan, goszakup_client(settings, sleep=time.sleep, clock=time), Outbox(kafka, TOPIC), state, today,
            settings.goszakup_page_limit, 0.0, outcome.sentences.append, outcome.shown.append, outcome.run_stats,
        )  # fmt: skip
        with CollectionProgress(Console(quiet=True), "test", run.run_stats, run.client.limiter) as progressing:
            asyncio.run(run.carry_out(progressing))
    return outcome
