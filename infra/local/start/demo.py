"""``./start.sh`` without a command: the whole path once, with simulated purchases, and an answer at its end."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.table import Table

from conf import Settings
from conf.discovery import modules_below
from conf.stream_progress import Unsettled, settle, stream_progress
from infra.local import addresses, clickhouse_http, deploy, figures, page_check
from infra.local.commands import sql
from infra.local.errors import Failed
from infra.local.parts import here, title
from infra.local.servers import airflow
from infra.local.stack import Stack
from infra.local.start import domains, summary
from infra.local.start.run import COUNTED, DomainStep, Run, last_json
from infra.local.steps import Runner, Say, Step
from schemas.contract import topics

LIVE_EVENTS, LIVE_RATE = 200, 40
CATCH_UP_SECONDS = 600
"""A cold stream on a busy machine was seen to take more than three minutes."""
QUESTION = "Which sellers earned most, returns taken off, in all currencies?"
ANSWER = """
SELECT seller_id, order_count AS orders, revenue_base_amount AS revenue, base_currency_code AS currency
FROM gold.top_sellers
LIMIT 5
"""

LIVE_QUESTION = "What was bought in each currency so far?"
LIVE_ANSWER = """
SELECT currency_code AS currency, uniqExact(event_id) AS purchases, sum(line_amount) AS revenue
FROM silver.purchase_lines FINAL
GROUP BY currency ORDER BY purchases DESC
"""


def steps(run: Run, console: Console) -> list[Step]:
    """The demo as steps. Sending begins as soon as there is a topic; the stream finds the events waiting."""
    settings, stack = run.settings, run.stack

    def count_before(_: Say) -> None:
        run.before = figures.all_counts(settings)

    def queries(_: Say) -> str:
        return f"{len(stream_progress(settings)['queries']):,} queries run"

    def first_answer(say: Say) -> str:
        catch_up(settings, say, "live")
        console.print(f"\n[bold]{LIVE_QUESTION}[/]  [dim]live, {time.monotonic() - run.began:.0f} s after the start[/]")
        sql.ask(settings, LIVE_ANSWER, None, console)
        return f"{time.monotonic() - run.began:.0f} s after the start"

    def live(say: Say) -> str:
        catch_up(settings, say, "live")
        watch_freshness(run, say)
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
    fed = [each.step.title for each in ours if each.feeds_nightly]
    stream = title(settings, "stream")
    return [
        *stack.up_steps(),
        *stack.database_steps(),
        *deploy.steps(settings),
        # A new lake has nothing to count, and its MinIO may still be built for minutes.
        Step(COUNTED, count_before, after=deploy.LIVE_STEPS if settings.is_lake_new else deploy.STEPS, quiet=True),
        *(each.step for each in ours),
        *stack.part_steps(["stream"], after=deploy.LIVE_STEPS if settings.is_lake_new else deploy.STEPS),
        Step(summary.QUERIES, queries, after=(stream,), quiet=True),
        Step(summary.LIVE_ANSWER, first_answer, after=(stream, summary.SENT), quiet=True),
        Step("All in the lake", lake, after=(stream, *deploy.LAKE_STEPS, *sent)),
        # Not beside the first batches, whose code Java has never seen.
        Step("Freshness watched", live, after=("All in the lake",)),
        Step(summary.NIGHTLY, nightly, after=("Freshness watched", *fed)),
        Step(summary.STAGE, stage, after=(summary.NIGHTLY,), quiet=True),
        # Those sent to watch the freshness come with the lake's next batch, while the jobs run.
        Step("The last purchases in the lake", lake, after=("Freshness watched",), quiet=True),
    ]


def domain_steps(run: Run) -> list[DomainStep]:
    """What the domains do in a demo, each in a module of `infra/local/start/domains`."""
    return [step for module in modules_below(domains) for step in module.steps(run)]


def catch_up(settings: Settings, say: Say, *lanes: str) -> None:
    """Wait until these lanes (``live``, ``lake``, ``fill``) have committed what the topics held when this began."""
    try:
        settle(settings, [topic.name for topic in topics()], CATCH_UP_SECONDS, say, lanes)
    except Unsettled as late:
        raise Failed(f"The stream does not catch up. {late} See: ./start.sh logs stream") from None


def watch_freshness(run: Run, say: Say) -> None:
    """Send a trickle and look, from outside, when each purchase can be read in ClickHouse.

    A purchase's age at that moment counts from the broker's time of it, so the last stretch of it is our own polling.
    """
    began = datetime.now(UTC)
    sender = threading.Thread(target=run.send, args=(LIVE_EVENTS, "--rate", str(LIVE_RATE)), daemon=True)
    sender.start()
    seen: set[str] = set()
    sql_text = (
        "SELECT event_id, toUnixTimestamp64Milli(max(ingested_at)) FROM silver.purchase_lines "
        f"WHERE ingested_at >= toDateTime64('{began:%Y-%m-%d %H:%M:%S}', 3, 'UTC') GROUP BY event_id"
    )
    deadline = time.monotonic() + LIVE_EVENTS / LIVE_RATE + 15
    while len(seen) < LIVE_EVENTS and time.monotonic() < deadline:
        rows = clickhouse_http.rows(run.settings, sql_text)
        now = time.time()
        fresh = [row for row in rows if row[0] not in seen]
        seen.update(row[0] for row in fresh)
        run.freshness += [now - int(row[1]) / 1000 for row in fresh]
        say(f"{len(seen)} purchases seen")
        time.sleep(0.02)
    sender.join(timeout=30)


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
            f"Freshness: {len(run.freshness)} purchases were readable in ClickHouse {half:.2f} s (median) "
            f"and {most:.2f} s (99 %) after Kafka took them.\n"
        )
    console.print(f"[bold]{QUESTION}[/]")
    sql.ask(run.settings, ANSWER, None, console)
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
        runner = Runner(console, is_brief=True)
        runner.run(steps(this, console))
        report(this, console)
        console.print(f"[dim]{time.monotonic() - this.began:.0f} s to the answer[/]\n")
        runner.run(last_steps(this, is_lite=is_lite))
        console.print()
        timings = runner.timings | {summary.STAGE: summary.staged(this.nightly)[1]}
        summary.show(
            summary.lines(summary.seven(settings, started(settings, is_lite)), timings, runner.remarks), console
        )
        addresses.show(settings, console)
        console.print('Ask more: ./start.sh sql "SELECT …"   Stop: ./start.sh down   Everything: ./start.sh --help')
