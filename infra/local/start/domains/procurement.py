"""Registers of procurement, collected from the stand-in of goszakup."""

from __future__ import annotations

from infra.local.parts import title
from infra.local.start import summary
from infra.local.start.run import COUNTED, DomainStep, Run
from infra.local.steps import Say, Step

STAND_IN = "standin"


def steps(run: Run) -> list[DomainStep]:
    def collect(_: Say) -> str:
        words = ("procurement.goszakup", "--stand-in", "--details", "contract_all")
        account = run.ingest("Collecting procurement", *words)
        run.sent.append(account)
        return f"{account['acknowledged']:,} rows of {len(account['registers'])} registers"

    needed = (title(run.settings, STAND_IN), summary.TOPICS, COUNTED)
    return [
        *(DomainStep(step) for step in run.stack.part_steps([STAND_IN])),
        DomainStep(Step("Procurement collected", collect, after=needed), sends_events=True),
    ]
