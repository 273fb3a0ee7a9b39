"""Exchange rates, collected from the stand-in of the bank."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from infra.local import deploy
from infra.local.parts import title
from infra.local.start.run import COUNTED, DomainStep, Run
from infra.local.steps import Say, Step

DAYS = 75
"""Simulated purchases are of the last sixty."""


def demo_steps(run: Run) -> list[DomainStep]:
    def collect(_: Say) -> str:
        since = (datetime.now(UTC) - timedelta(days=DAYS)).date().isoformat()
        account = run.ingest("Collecting exchange rates", "rates.nbk", "--stand-in", "--since", since)
        run.sent.append(account)
        return f"{account['days']:,} days"

    needed = (title(run.settings, "standin"), *deploy.LIVE_STEPS, COUNTED)
    return [DomainStep(Step("Exchange rates", collect, after=needed, quiet=True), sends_events=True)]
