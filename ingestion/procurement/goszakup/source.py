"""The state register of procurement, goszakup.gov.kz, as a source of the command line."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

import click
from rich.console import Console

from conf import Settings
from conf.domains.procurement import ProcurementSettings
from ingestion.collecting import journal
from ingestion.collecting.outbox import Outbox
from ingestion.collecting.pace_file import PaceFile
from ingestion.collecting.progress import CollectionProgress, summary
from ingestion.collecting.state import State
from ingestion.core.errors import IngestError
from ingestion.core.publish import remedy
from ingestion.core.registry import Collector, Connect, RunContext
from ingestion.core.stopping import STOPPED, STOPPED_BY_SIGNAL
from ingestion.procurement.goszakup.collection_run import CollectionRun
from ingestion.procurement.goszakup.plan import CollectionRequest, Plan, make_plan, plan_lines
from ingestion.procurement.goszakup.service import goszakup_client, goszakup_pace_path, goszakup_state_path
from schemas.procurement import TOPIC

LOCAL = timezone(timedelta(hours=5))
"""The service's days are those of Kazakhstan."""
NAME = "procurement.goszakup"
SHOWN = 10
UNDER_WAY = "run under way"
"""A fact of the state: the run that has it open, and when it began. Empty once that run has told how it went."""


@dataclass(frozen=True)
class Collection:
    """A collection that was asked for. `run` gives the exit code; IngestError comes before anything is asked."""

    context: RunContext
    request: CollectionRequest
    is_dry: bool
    as_json: bool
    at_standin: bool = False

    def run(self, settings: Settings, console: Console, connect: Connect) -> int:
        chosen = ProcurementSettings.of(settings.at_standin() if self.at_standin else settings)
        today = self.context.now.astimezone(LOCAL).date()
        with State(goszakup_state_path(chosen), is_dry=self.is_dry) as state:
            plan = make_plan(state, self.request, today, chosen.goszakup_page_limit)
            if self.is_dry:
                for line in plan_lines(plan, chosen.goszakup_url.rstrip("/")):
                    click.echo(line)
                return 0
            return self._collect(chosen, console, connect, state, plan, today)

    def _collect(
        self, settings: ProcurementSettings, console: Console, connect: Connect, state: State, plan: Plan, today: date
    ) -> int:  # fmt: skip
        say = self.context.say
        # Before Kafka is asked for: without a token nothing can be done.
        client = goszakup_client(settings)
        outbox = Outbox(connect(settings, TOPIC, say), TOPIC, remedy(settings))
        run = CollectionRun(
            self.request, plan, client, outbox, state, today, settings.goszakup_page_limit,
            settings.goszakup_delay_seconds, say, click.echo,
        )  # fmt: skip
        run_id = f"{self.context.now:%y%m%d%H%M%S}-{secrets.token_hex(2)}"
        _note_cut_off(settings, state)
        if walked := state.walked(self.request.load, self.request.goes_on_since(today)):
            say(f"A load was broken off: it goes on. {len(walked)} registers are walked to their ends already.")
        state.note(UNDER_WAY, f"{run_id} {time.time()}")
        failure, code = "", 0
        try:
            pace = PaceFile(goszakup_pace_path(settings), settings.goszakup_collection, client.limiter)
            with CollectionProgress(console, NAME, run.run_stats, client.limiter) as progressing, pace:
                asyncio.run(run.carry_out(progressing, pace))
        except IngestError as problem:
            failure, code = str(problem), problem.code
        except KeyboardInterrupt:
            failure, code = STOPPED_BY_SIGNAL, STOPPED
        finally:
            outbox.close()
            self._report(run, settings, run_id, failure)
            state.note(UNDER_WAY, "")
        is_complete = run.run_stats.is_complete and not outbox.refused
        return code or (0 if is_complete else 1)

    def _report(self, run: CollectionRun, settings: ProcurementSettings, run_id: str, failure: str) -> None:
        say = self.context.say
        waits = journal.write(settings, settings.goszakup_collection, run_id, run.run_stats)
        if waits:
            say(waits)
        # Here and not by whoever started it: the last line is the JSON's, also of a run that broke off.
        if failure:
            say(failure)
        for event_id, why in run.outbox.refused[:SHOWN]:
            say(f"Kafka refused the event {event_id}: {why}.")
        troubled = [] if failure else [stats for stats in run.run_stats if not stats.is_complete]
        for stats in troubled[:SHOWN]:
            say(f"{stats.name} is not complete: {stats.message}")
        table = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
        table.print(summary(run.run_stats))
        outbox = run.outbox
        click.echo(f"{NAME}: {outbox.sent:,} events sent, {outbox.acknowledged:,} acknowledged.")
        if failure or troubled:
            click.echo("Running it again goes on from the last page that Kafka acknowledged; nothing is doubled.")
        if self.as_json:
            registers = [journal.row(run_id, stats, settings.goszakup_collection) for stats in run.run_stats]
            figures = {
                "source": NAME, "run_id": run_id, "sent": outbox.sent, "acknowledged": outbox.acknowledged,
                "registers": registers, "error": failure,
            }  # fmt: skip
            click.echo(json.dumps(figures, ensure_ascii=False))


def _note_cut_off(settings: ProcurementSettings, state: State) -> None:
    """A run that was killed wrote nothing of itself: the next one does."""
    run_id, _, began = state.fact(UNDER_WAY).partition(" ")
    if run_id:
        walks = [journal.cut_off(walk, float(began)) for walk in state.walks()]
        journal.keep(settings, settings.goszakup_collection, run_id, walks)


def _open(
    context: RunContext, *, register: tuple[str, ...], since: datetime | None, full: bool, details: tuple[str, ...],
    dry_run: bool, stand_in: bool, as_json: bool,
) -> Collection:  # fmt: skip
    request = CollectionRequest(register, since.date() if since else None, full, details)
    return Collection(context, request, dry_run, as_json, stand_in)


SOURCE = Collector(
    NAME,
    "Registers of public procurement from goszakup.gov.kz: new rows, and what its journal says has changed.",
    (
        click.Option(
            ["--register", "register"], multiple=True,
            help="Only this register, dictionary or lookup, as NAME or NAME=VALUE; may be given several times.",
        ),
        click.Option(
            ["--since"], type=click.DateTime(["%Y-%m-%d"]),
            help="Ask the journal for changes since this day.  [default: a day before the last time]",
        ),
        click.Option(["--full"], is_flag=True, help="Walk each register to its end, not only to known ids."),
        click.Option(
            ["--details"], multiple=True, metavar="REGISTER",
            help="With each row of this register its sub-lists: several requests a row. May be given several times.",
        ),
        click.Option(["--stand-in"], is_flag=True, help="Ask the stand-in that ./start.sh runs on this machine."),
        click.Option(["--dry-run"], is_flag=True, help="Print what would be asked, and ask nothing."),
        click.Option(["--json", "as_json"], is_flag=True, help="End with the figures as one line of JSON."),
    ),
    _open,
)  # fmt: skip
