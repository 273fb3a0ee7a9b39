"""``python -m ingestion.core.run SOURCE [FILE] [options]``: send a source's events to Kafka.

Exit codes: 0 all acknowledged, 1 some or all not, 2 the input or the options are wrong and nothing was sent,
130 Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
import pydantic
from rich.console import Console

from conf import Settings, settings, wrong_settings
from ingestion.core.errors import IngestError, Unreadable
from ingestion.core.ledger import LedgerWriter
from ingestion.core.outcome import AskOutcome, Reached, await_outcome
from ingestion.core.progress import ProgressDisplay
from ingestion.core.publish import Publisher, Totals, kafka, need_space, remedy
from ingestion.core.registry import Collector, Connect, Feed, RunContext, Source, registered, sources
from ingestion.core.stopping import STOPPED, STOPPED_BY_SIGNAL, stopped_by_sigterm

LOOK_EVERY = 256
SHOWN_REFUSED = 5

COMMON = (
    click.Option(["--rate"], type=click.FloatRange(0, min_open=True), help="Events a second.  [default: all at once]"),
    click.Option(["--ledger"], type=click.Path(path_type=Path, dir_okay=False), help="Append what is acknowledged."),
    click.Option(["--json", "as_json"], is_flag=True, help="End with the figures as one line of JSON."),
)


FOLLOWED = (
    click.Option(["--no-wait"], is_flag=True, help="End when Kafka has all, without waiting for what becomes of it."),
    click.Option(
        ["--wait-seconds"],
        type=click.FloatRange(0),
        default=180.0,
        show_default=True,
        help="How long to wait for lake and ClickHouse.",
    ),
)


def transmit(feed: Feed, publisher: Publisher, rate: float | None, on_poll: Callable[[], None]) -> None:
    """Send all of the feed and wait for the last acknowledgement.

    With a rate, each event has its own due time, whether or not those before it are acknowledged: a slow broker makes
    no pause in the offered load.
    """
    started = time.monotonic()
    for number, message in enumerate(feed.messages()):
        if rate:
            due = started + number / rate
            while (left := due - time.monotonic()) > 0:
                if left > 0.002:
                    publisher.poll(min(left, 0.2))
                    on_poll()
                else:
                    time.sleep(left)
        publisher.send(message)
        if not number % LOOK_EVERY:
            on_poll()
    publisher.finish(on_poll=on_poll)


def run_source(
    source: Source, *, rate: float | None, ledger: Path | None, as_json: bool, no_wait: bool = True,
    wait_seconds: float = 0.0, **options: Any,
) -> None:  # fmt: skip
    """Open the source, send, say how it went, and leave with the exit code."""
    context = click.get_current_context()
    connect: Connect = context.obj or kafka
    console = Console(stderr=True, highlight=False)
    say = partial(console.print, markup=False, soft_wrap=True)
    started = time.monotonic()
    totals, feed, failure, code = Totals(), None, "", 0
    refused: list[tuple[str, str]] = []
    reached: Reached = {}
    try:
        feed = source.open(RunContext(say, datetime.now(UTC), _settings), **options)
        chosen = _settings()
        broker = connect(chosen, feed.topic, say)
        with (
            LedgerWriter(ledger) if ledger else nullcontext() as writer,
            ProgressDisplay(console, source.name, feed.total) as shown,
            Publisher(broker, feed.topic, ledger=writer, remedy=remedy(chosen)) as publisher,
        ):
            totals, refused, reached = publisher.totals, publisher.refused, publisher.reached
            transmit(feed, publisher, rate, lambda: shown.update(publisher.totals))
    except IngestError as problem:
        failure, code = str(problem), problem.code
    except OSError as problem:
        failure, code = f"{problem.filename or source.name}: {problem.strerror or problem}.", 1
    except KeyboardInterrupt:
        failure, code = STOPPED_BY_SIGNAL, STOPPED
    if not code and totals.failed:
        code = 1
    seconds = time.monotonic() - started
    for event_id, why in refused[:SHOWN_REFUSED]:
        say(f"Kafka refused the event {event_id}: {why}.")
    if failure:
        say(failure, style="red")
    if totals.sent or not code:
        click.echo(_summary(source.name, totals, seconds))
    if feed and totals.sent:
        closing_lines = [feed.again if code else "", feed.closing()]
        for sentence in filter(None, closing_lines):
            click.echo(sentence)
    outcome: dict[str, Any] = {}
    # A broker of a test's own has no stream behind it.
    if feed and source.ask_outcome and totals.acknowledged and not (code or no_wait or context.obj):
        outcome = _follow(feed, source.ask_outcome, reached, totals.acknowledged, wait_seconds, say)
    if as_json:
        figures = {"source": source.name, **asdict(totals), **(feed.figures() if feed else {}), **outcome}
        click.echo(json.dumps(figures | {"seconds": round(seconds, 3), "error": failure}))
    context.exit(code)


def _follow(
    feed: Feed, ask: AskOutcome, reached: Reached, sent: int, seconds: float, say: Callable[[str], None]
) -> dict[str, Any]:  # fmt: skip
    """Wait for what becomes of the events, and say it; what is for programs."""
    source = str(getattr(feed, "source", ""))
    try:
        outcome = await_outcome(_settings(), feed.topic, source, reached, sent, seconds, say, ask)
    except KeyboardInterrupt:
        outcome = f"Stopped waiting. All was acknowledged; what becomes of it: ./start.sh settle {feed.topic}"
    if isinstance(outcome, str):
        click.echo(outcome)
        return {"outcome": None}
    for sentence in outcome.sentences(source):
        click.echo(sentence)
    return {"outcome": outcome.figures()}


def run_collector(collector: Collector, **options: Any) -> None:
    """Let the collector do its errand, and leave with its exit code."""
    context = click.get_current_context()
    connect: Connect = context.obj or kafka
    console = Console(stderr=True, highlight=False)
    say = partial(console.print, markup=False, soft_wrap=True)
    try:
        need_space(_settings())
        code = collector.open(RunContext(say, datetime.now(UTC), _settings), **options).run(
            _settings(), console, connect
        )
    except IngestError as problem:
        say(str(problem), style="red")
        code = problem.code
    except OSError as problem:
        say(f"{problem.filename or collector.name}: {problem.strerror or problem}.", style="red")
        code = 1
    except KeyboardInterrupt:
        say(STOPPED_BY_SIGNAL, style="red")
        code = STOPPED
    context.exit(code)


def _settings() -> Settings:
    try:
        return settings()
    except pydantic.ValidationError as error:
        raise Unreadable("Wrong settings: " + "; ".join(wrong_settings(error))) from None


def _summary(name: str, totals: Totals, seconds: float) -> str:
    faults = [
        f"{totals.duplicates:,} second copies" if totals.duplicates else "",
        f"{totals.poison:,} poison" if totals.poison else "",
    ]
    among = f" ({', '.join(filter(None, faults))} among them)" if any(faults) else ""
    lost = totals.sent - totals.acknowledged
    end = f"; {lost:,} were not acknowledged" if lost else ""
    speed = totals.acknowledged / seconds if seconds else 0.0
    return (
        f"{name}: {totals.sent:,} events sent{among}, {totals.acknowledged:,} acknowledged with {totals.lines:,} lines"
        f"{end}. {seconds:.1f} s, {speed:,.0f} events/s."
    )


class _Sources(click.Group):
    """The sources as commands, looked for only when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(sources())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        source = sources().get(cmd_name)
        if source is None:
            return None
        common: tuple[click.Parameter, ...] = ()
        if isinstance(source, Collector):
            callback = partial(run_collector, source)
        else:
            callback, common = partial(run_source, source), COMMON + (FOLLOWED if source.ask_outcome else ())
        return click.Command(
            source.name,
            callback=callback,
            params=[*source.parameters, *common],
            help=source.summary,
            short_help=source.summary,
            context_settings={"help_option_names": ["-h", "--help"]},
        )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        for fault in registered().faults:
            formatter.write_text(f"Not usable: {fault}")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None:
            faults = "".join(f"\n{fault}" for fault in registered().faults)
            raise click.UsageError(f"No source is called {args[0]!r}; there are {', '.join(sources())}.{faults}", ctx)
        return super().resolve_command(ctx, args)


main = _Sources(
    name="ingest",
    help="Send a source's events to Kafka.",
    subcommand_metavar="SOURCE [ARGUMENTS]",
    context_settings={"help_option_names": ["-h", "--help"]},
)

if __name__ == "__main__":
    with stopped_by_sigterm():
        main(prog_name="ingest")
