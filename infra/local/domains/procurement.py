"""Procurement: registers collected from the stand-in of goszakup, and how a load is checked."""

from __future__ import annotations

from collections.abc import Sequence

from conf import Settings
from conf.domains.procurement import ProcurementSettings
from infra.local.load_check import given
from infra.local.parts import title
from infra.local.start import summary
from infra.local.start.run import COUNTED, DomainStep, Run
from infra.local.steps import Say, Step

STAND_IN = "standin"
FORGET = "ingestion.procurement.forget"


def brings_events(words: Sequence[str]) -> bool:
    """Whether a load sends anything: some registers are only shown."""
    # The list of registers takes a moment to load, which other commands need not wait for.
    from schemas.procurement.endpoints import by_name

    registers = [value.partition("=")[0] for value in given(words, "--register")]
    shown = [name for name in registers if name in by_name() and by_name()[name].event_type is None]
    return not registers or shown != registers


def collection_of(chosen: Settings, words: Sequence[str]) -> str:
    """The collection that a load fills: the one it names, or the one of the service that it asks."""
    if named := given(words, "--collection"):
        return named[-1]
    return ProcurementSettings.of(chosen.at_standin() if "--stand-in" in words else chosen).goszakup_collection


def demo_steps(run: Run) -> list[DomainStep]:
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
