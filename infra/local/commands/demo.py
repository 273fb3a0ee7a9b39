"""``./start.sh`` without a command: the whole path once, with simulated purchases, and an answer at its end."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from conf import Settings
from conf.stream_progress import Unsettled, settle, stream_progress
from infra.local import clickhouse_http, deploy
from infra.local.commands import figures, page_check, sql, start_summary, status
from infra.local.errors import Failed
from infra.local.parts.parts import TITLES, here
from infra.local.processes import children
from infra.local.servers import airflow
from infra.local.stack import Stack
from infra.local.steps import Runner, Say, Step
from schemas.contract import topics

EVENTS = 20_000
FAULTS = ("--duplicates", "0.01", "--poison", "0.005")
RATES_DAYS = 75
"""Simulated purchases are of the last sixty."""
LIVE_EVENTS, LIVE_RATE = 200, 40
CATCH_UP_SECONDS = 600
"""A cold stream on a busy machine was seen to take more than three minutes."""
QUESTION = "Which sellers earned most, returns taken off, in all currencies?"
ANSWER = """
SELECT seller_id, order_count AS orders, revenue_base_amount AS revenue, base_currency_code AS currency
FROM gold.top_sellers
LIMIT 5
"""


@dataclass
class Run:
    """What one demo learns on its way."""

    settings: Settings
    stack: Stack
    before: dict[str, int] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    freshness: list[float] = field(default_factory=list)
    nightly: dict[str, Any] = field(default_factory=dict)

    def command(self, what: str, *words: str, on_line: Callable[[str], None] | None = None) -> str:
        """Run one of our own commands to its end."""
        env = children.environment(self.settings, self.stack.tools.java_home, part="demo")
        return children.run([sys.executable, "-m", *words], what, env=env, on_line=on_line)

    def send(self, count: int, *options: str) -> dict[str, Any]:
        """Send simulated purchases; returns the simulator's own account."""
        output = self.command(
            "Sending purchases",
            *("ingestion.core.run", "purchases.simulate", "--json"),
            *("--events", str(count), *options),
        )
        account = last_json(output)
        self.sent.append(account)
        return account

    def total(self, name: str) -> int:
        """A figure of the simulator over everything sent in this run."""
        return sum(int(account.get(name, 0)) for account in self.sent)


def last_json(output: str) -> dict[str, Any]:
    """The last line that is a JSON object; `Failed` when there is none."""
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    raise Failed(f"A command ended without the account it owes:\n{output[-500:]}")


def steps(run: Run) -> list[Step]:
    """The demo as steps. Sending begins as soon as there is a topic; the stream finds the events waiting."""
    settings, stack = run.settings, run.stack

    def count_before(_: Say) -> None:
        run.before = figures.all_counts(settings)

    def send(_: Say) -> str:
        account = run.send(EVENTS, *FAULTS)
        return f"{account['acknowledged']:,} events"

    def collect(_: Say) -> str:
        words = ("ingestion.core.run", "procurement.goszakup", "--stand-in", "--details", "contract_all", "--json")
        account = last_json(run.command("Collecting procurement", *words))
        run.sent.append(account)
        return f"{account['acknowledged']:,} rows of {len(account['registers'])} registers"

    def rates(_: Say) -> str:
        since = (datetime.now(UTC) - timedelta(days=RATES_DAYS)).date().isoformat()
        account = last_json(
            run.command("Collecting exchange rates", "ingestion.core.run", "rates.nbk", "--stand-in", "--json",
                        "--since", since)
        )  # fmt: skip
        run.sent.append(account)
        return f"{account['days']:,} days"

    def ingested(what: str, *words: str) -> dict[str, Any]:
        return last_json(run.command(what, "ingestion.core.run", *words, "--json"))

    def seed(_: Say) -> None:
        ingested("Seeding the shop", "shop.seed")

    def customers(_: Say) -> str:
        return f"{ingested('Extracting customers', 'shop.customers')['changed']:,} changed"

    def products(_: Say) -> str:
        return start_summary.products(ingested("Staging products", "shop.products", "--simulated", "7"))

    def queries(_: Say) -> str:
        return f"{len(stream_progress(settings)['queries']):,} queries run"

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
        return start_summary.staged(run.nightly)[0]

    return [
        *stack.up_steps(),
        *stack.database_steps(),
        *deploy.steps(settings),
        Step("Counts before", count_before, after=deploy.STEPS, quiet=True),
        Step(start_summary.SENT, send, after=(start_summary.TOPICS, "Counts before")),
        Step("Shop seeded", seed, after=("Shop's tables",)),
        Step(start_summary.CUSTOMERS, customers, after=("Shop seeded", "Bucket")),
        Step(start_summary.PRODUCTS, products, after=("Bucket",)),
        *stack.part_steps(["standin"]),
        Step("Procurement collected", collect, after=(TITLES["standin"], start_summary.TOPICS, "Counts before")),
        Step("Exchange rates", rates, after=(TITLES["standin"], *deploy.STEPS, "Counts before"), quiet=True),
        *stack.part_steps(["stream"], after=deploy.STEPS),
        Step(start_summary.QUERIES, queries, after=(TITLES["stream"],), quiet=True),
        Step(
            "All in the lake",
            lake,
            after=(TITLES["stream"], start_summary.SENT, "Procurement collected", "Exchange rates"),
        ),
        # Not beside the first batches, whose code Java has never seen.
        Step("Freshness watched", live, after=("All in the lake",)),
        Step(
            start_summary.NIGHTLY, nightly, after=("Freshness watched", start_summary.CUSTOMERS, start_summary.PRODUCTS)
        ),
        Step(start_summary.STAGE, stage, after=(start_summary.NIGHTLY,), quiet=True),
        # Those sent to watch the freshness come with the lake's next batch, while the jobs run.
        Step("The last purchases in the lake", lake, after=("Freshness watched",), quiet=True),
    ]


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
        Step(start_summary.ALIVE, lambda _: page_check.alive(run.settings), after=(TITLES["api"],)),
        *([] if is_lite else run.stack.airflow_steps(started=True)),
    ]
    # Their other conditions were met on the way to the answer.
    titles = {step.title for step in last}
    return [replace(step, after=[title for title in step.after if title in titles]) for step in last]


def run(settings: Settings, console: Console, *, is_lite: bool = False) -> None:
    """Set up, run, show; last come the other parts, what was done, the addresses. `is_lite` leaves Airflow out."""
    stack = Stack(settings)
    began = time.monotonic()
    with stack.alone():
        stack.check_ports()
        this = Run(settings, stack)
        runner = Runner(console)
        runner.run(steps(this))
        report(this, console)
        console.print(f"[dim]{time.monotonic() - began:.0f} s to the answer[/]\n")
        runner.run(last_steps(this, is_lite=is_lite))
        console.print()
        timings = runner.timings | {start_summary.STAGE: start_summary.staged(this.nightly)[1]}
        start_summary.show(
            start_summary.lines(start_summary.seven(started(settings, is_lite)), timings, runner.remarks), console
        )
        status.show_addresses(settings, console)
        console.print('Ask more: ./start.sh sql "SELECT …"   Stop: ./start.sh down   Everything: ./start.sh --help')
