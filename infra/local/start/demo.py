"""``./start.sh`` without a command: the whole path once, with simulated purchases, and an answer at its end."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import chain

from rich import box
from rich.console import Console
from rich.table import Table

from conf import Settings
from conf.stream_progress import Unsettled, settle, stream_progress
from infra.local import addresses, deploy, domains, figures, page_check
from infra.local.commands import sql
from infra.local.errors import Failed
from infra.local.parts import here, title
from infra.local.servers import airflow
from infra.local.stack import Stack
from infra.local.start import summary
from infra.local.start.run import COUNTED, DomainStep, Run, last_json
from infra.local.steps import Say, Step, StepRunner
from schemas.contract import topics

CATCH_UP_SECONDS = 600
"""A cold stream on a busy machine was seen to take more than three minutes."""


def steps(run: Run, console: Console) -> list[Step]:
    """The demo as steps. Sending begins as soon as there is a topic; the stream finds the events waiting."""
    settings, stack = run.settings, run.stack

    def count_before(_: Say) -> None:
        run.before = figures.all_counts(settings)

    def queries(_: Say) -> str:
        return f"{len(stream_progress(settings)['queries']):,} queries run"

    def first_answer(say: Say) -> str:
        catch_up(settings, say, "live")
        for question in domains.every("LIVE_QUESTION"):
            console.print(
                f"\n[bold]{question.text}[/]  [dim]live, {time.monotonic() - run.began:.0f} s after the start[/]"
            )
            sql.ask(settings, question.sql, None, console)
        return f"{time.monotonic() - run.began:.0f} s after the start"

    def live(say: Say) -> str:
        catch_up(settings, say, "live")
        for watch in domains.every("watch_freshness"):
            watch(run, say)
        return f"median {percentile(run.freshness, 50):.2f} s" if run.freshness else "nothing was seen"

    def lake(say: Say) -> None:
        catch_up(settings, say, "lake", "fill")

    def nightly(say: Say) -> str:
        def built(line: str) -> None:
            # Spark has its say too.
            if line.startswith(("✓", "✗")):
                say(line[-70:])

        say("Spark starts, and builds the first tables")
        run.nightly = last_json(
            run.command("The nightly jobs", "jobs.commands.run", "nightly", "--json", on_line=built)
        )
        return f"{len(run.nightly['tables'])} tables"

    def stage(_: Say) -> str:
        # Loaded among the nightly jobs: a session of Spark for it alone would take longer than it does.
        return summary.staged(run.nightly)[0]

    ours = domain_steps(run)
    sent = [each.step.title for each in ours if each.sends_events]
    # A new lake has nothing to count or to ask, and its MinIO may still be built for minutes.
    ready = deploy.LIVE_STEPS if settings.is_lake_new else deploy.STEPS
    live_events = [each.step.title for each in ours if each.is_live]
    fed = [each.step.title for each in ours if each.feeds_nightly]
    stream = title(settings, "stream")
    return [
        *stack.up_steps(),
        *stack.database_steps(),
        *deploy.steps(settings),
        Step(COUNTED, count_before, after=ready, quiet=True),
        *(each.step for each in ours),
        *stack.part_steps(["stream"], after=ready),
        Step(summary.QUERIES, queries, after=(stream,), quiet=True),
        Step(summary.LIVE_ANSWER, first_answer, after=(stream, *live_events), quiet=True),
        Step("All in the lake", lake, after=(stream, *deploy.LAKE_STEPS, *sent)),
        # Not beside the first batches, whose code Java has never seen.
        Step("Freshness watched", live, after=("All in the lake",)),
        Step(summary.NIGHTLY, nightly, after=("Freshness watched", *fed)),
        Step(summary.STAGE, stage, after=(summary.NIGHTLY,), quiet=True),
        # Those sent to watch the freshness come with the lake's next batch, while the jobs run.
        Step("The last purchases in the lake", lake, after=("Freshness watched",), quiet=True),
    ]


def domain_steps(run: Run) -> list[DomainStep]:
    """What the domains do in a demo, as `infra/local/domains` has it."""
    return [step for steps_of in domains.every("demo_steps") for step in steps_of(run)]


def catch_up(settings: Settings, say: Say, *lanes: str) -> None:
    """Wait until these lanes (``live``, ``lake``, ``fill``) have committed what the topics held when this began."""
    try:
        settle(settings, [topic.name for topic in topics()], CATCH_UP_SECONDS, say, lanes)
    except Unsettled as late:
        raise Failed(f"The stream does not catch up. {late} See: ./start.sh logs stream") from None


def percentile(values: list[float], percent: float) -> float:
    """The value below which `percent` of the values lie (nearest rank); 0 for none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * percent / 100))] if ranked else 0.0


def report(run: Run, console: Console) -> None:
    """What the demo was for: counts, freshness, a question with its answer."""
    after = figures.all_counts(run.settings)
    table = Table("", title="Counts", box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("this run", justify="right")
    table.add_column("in all", justify="right")

    def line(title: str, name: str) -> None:
        table.add_row(title, f"{after[name] - run.before.get(name, 0):,}", f"{after[name]:,}")

    table.add_row("events sent", f"{run.total('acknowledged'):,}", "")
    line("bronze: events as they came", "bronze")
    line("silver: events accepted", "silver_events")
    line("of these superseded by a correction", "superseded")
    line("quarantine: events refused", "quarantined")
    line("duplicates left out", "duplicates")
    line("silver: rows", "silver_rows")
    line("ClickHouse: rows of silver", "clickhouse_silver_rows")
    for name, count in figures.gold(run.settings).items():
        table.add_row(name, "", f"{count:,}")
    console.print(table)
    if run.freshness:
        half, most = percentile(run.freshness, 50), percentile(run.freshness, 99)
        console.print(
            f"Freshness: {len(run.freshness)} events were readable in ClickHouse {half:.2f} s (median) "
            f"and {most:.2f} s (99 %) after Kafka took them.\n"
        )
    for question in domains.every("QUESTION"):
        console.print(f"[bold]{question.text}[/]")
        sql.ask(run.settings, question.sql, None, console)
        console.print()


def started(settings: Settings, is_lite: bool) -> list[str]:
    """The parts that a start brings up."""
    return [name for name in here(settings) if name != "guard" and not (is_lite and name in airflow.PARTS)]


def last_steps(run: Run, *, is_lite: bool) -> list[Step]:
    """The parts that the answer does not need, started when it is there so that they do not compete with it."""
    last = [
        *run.stack.part_steps(["api", "history"]),
        Step(summary.ALIVE, lambda _: page_check.alive(run.settings), after=(title(run.settings, "api"),)),
        *([] if is_lite else run.stack.airflow_steps(started=True)),
        # Beside MinIO's build it would take the processors that the answer waits for.
        run.stack.archive_step(),
    ]
    # Their other conditions were met on the way to the answer.
    titles = {step.title for step in last}
    return [replace(step, after=[title for title in step.after if title in titles]) for step in last]


def run(settings: Settings, console: Console, *, is_lite: bool = False) -> None:
    """Set up, run, show; last come the other parts, what was done, the addresses. `is_lite` leaves Airflow out."""
    stack = Stack(settings)
    with stack.alone():
        stack.check_ports()
        this = Run(settings, stack)
        runner = StepRunner(console, is_brief=True)
        runner.run(steps(this, console))
        report(this, console)
        console.print(f"[dim]{time.monotonic() - this.began:.0f} s to the answer[/]\n")
        runner.run(last_steps(this, is_lite=is_lite))
        console.print()
        timings = runner.timings | {summary.STAGE: summary.staged(this.nightly)[1]}
        of_domains = domains.every("CHAPTERS")
        chapters = summary.chapters(settings, started(settings, is_lite), chain.from_iterable(of_domains))
        summary.show(summary.lines(chapters, timings, runner.remarks), console)
        addresses.show(settings, console)
        console.print('Ask more: ./start.sh sql "SELECT …"   Stop: ./start.sh down   Everything: ./start.sh --help')
