"""The commands of ``./start.sh``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import click
import pydantic
from rich.console import Console

from conf import Settings, settings, wrong_settings
from infra.local import config_files
from infra.local.commands.accept_loss import accept_loss
from infra.local.commands.collection import collection
from infra.local.errors import Failed, Refused
from infra.local.parts.parts import CORE, TITLES
from infra.local.processes import children
from infra.local.stack import Stack
from infra.local.steps import Runner
from infra.local.tools import java

PASSED_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}


def out() -> Console:
    """Where results go. Wide enough for tables where there is no terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 140)


def current(stack: str | None = None) -> Settings:
    """The settings, or a sentence for each that is wrong. `stack` is used where the user has named none."""
    try:
        chosen = settings()
        if stack and "stack" not in chosen.model_fields_set:
            chosen = chosen.model_copy(update={"stack": stack})
    except pydantic.ValidationError as error:
        raise Refused("Wrong settings:\n" + "\n".join(wrong_settings(error))) from None
    config_files.check_names(chosen)
    return chosen


def pass_on(chosen: Settings, part: str, words: Sequence[str]) -> None:
    """Run one of our commands in the foreground and end with its exit code."""
    code = passed_on(chosen, part, words)
    if code:
        raise SystemExit(code)


def passed_on(chosen: Settings, part: str, words: Sequence[str]) -> int:
    """Run one of our commands in the foreground; its exit code."""
    env = children.environment(chosen, java.remembered(chosen), part)
    child = subprocess.Popen([sys.executable, "-m", *words], env=env, text=True)
    with children.tracked(child):
        code = child.wait()
    return code if code >= 0 else 128 - code


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--lite", is_flag=True, help="Leave Airflow out.")
@click.pass_context
def cli(context: click.Context, lite: bool) -> None:
    """Sauda: a streaming lakehouse for trade.

    Without a command: set up what is missing, start everything, send simulated purchases through Kafka, Spark and
    ClickHouse, run the nightly jobs, and show counts, freshness and an answer.

    Settings are environment variables with the prefix SAUDA_ (conf/settings.py). Exit codes: 0 good, 1 something
    failed, 2 your mistake or something missing on this machine, 3 a gate stopped it.
    """
    if context.invoked_subcommand is None:
        from infra.local.commands import demo

        demo.run(current(), out(), is_lite=lite)


@cli.command("up-parts", hidden=True)
@click.argument("names", nargs=-1, type=click.Choice(list(TITLES)))
def up_parts(names: tuple[str, ...]) -> None:
    """Start Kafka, MinIO and ClickHouse (or the parts named) and wait until they answer."""
    stack = Stack(current())
    with stack.alone():
        stack.check_ports()
        Runner(out()).run(stack.up_steps(names or CORE))


@cli.command("deploy", hidden=True)
def deploy_command() -> None:
    """Create topics, the bucket and ClickHouse's tables in a running stack."""
    from infra.local import deploy

    chosen = current()
    Stack(chosen).need(*CORE)
    for action in (deploy.create_topics, deploy.create_bucket, deploy.create_tables):
        action(chosen)


@cli.command()
@click.option("--unit", is_flag=True, help="Only linters and unit tests: no parts are started.")
@click.option(
    "--need-browser", is_flag=True, envvar="CI",
    help="Fail where Chromium is missing and could be installed; set where CI=true.",
)  # fmt: skip
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(unit: bool, need_browser: bool, arguments: tuple[str, ...]) -> None:
    """Run linters, unit tests and service tests on a stack of their own (stack `test`), and take it down.

    ARGUMENTS after -- go to pytest, which then is all that runs: ./start.sh test -- tests/services -k kill
    """
    from infra.local.commands import testing

    chosen = current("test")
    if chosen.stack == "main":
        raise Refused("The tests wipe their stack, so they do not run on `main`: unset SAUDA_STACK.")
    code = testing.run(chosen, out(), arguments, unit, need_browser)
    if code:
        raise SystemExit(code)


test.context_settings = {"ignore_unknown_options": True}


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(as_json: bool) -> None:
    """Show the parts, the streaming queries and the row counts."""
    from infra.local.commands import status as shown

    found = shown.gather(current())
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        shown.show(found, out())


@cli.command()
def doctor() -> None:
    """Look at Python, Java, tools, memory, disk, ports, secrets and parts, and say how to mend what is wrong."""
    from infra.local.commands import doctor as check

    if not check.show(current(), out()):
        raise SystemExit(1)


@cli.command()
@click.option("--passwords", is_flag=True, help="Show the passwords too.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def urls(passwords: bool, as_json: bool) -> None:
    """List the addresses of the stack, with user names."""
    from infra.local.commands import status as shown

    shown.show_addresses(current(), out(), passwords, as_json=as_json)


@cli.command()
@click.argument("query")
@click.option("--format", "chosen", help="CSV, TSV, JSON or any format of ClickHouse, instead of a table.")
def sql(query: str, chosen: str | None) -> None:
    """Ask ClickHouse a QUERY, as the user `reader`, who can change nothing. "-" reads the query from stdin."""
    from infra.local.commands import sql as asking

    asking.ask(current(), sys.stdin.read() if query == "-" else query, chosen, out())


@cli.command(context_settings=PASSED_ON)
@click.argument("source")
@click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="[FILE] [OPTIONS]")
def ingest(source: str, rest: tuple[str, ...]) -> None:
    """Send the events of a SOURCE into Kafka, e.g. purchases.file shop.csv.gz

    Sending the same file again adds nothing. A load of procurement ends with its check, which --no-check leaves out.
    The source's own options: ./start.sh ingest SOURCE -- --help
    """
    from infra.local.commands import load_check

    chosen = current()
    is_sent = not {"--help", "--dry-run", "--try"} & set(rest)
    if is_sent:
        Stack(chosen).need(*(("postgres", "minio") if source.startswith("shop.") else ("kafka",)))
    is_checked = is_sent and "--no-check" not in rest and load_check.is_checked(source, rest)
    code = passed_on(chosen, "ingest", ["ingestion.core.run", source, *(word for word in rest if word != "--no-check")])
    # What did not come whole is checked too; where nothing was begun, or somebody stopped it, there is nothing new.
    if is_checked and code in (0, 1):
        code = load_check.check(chosen, source, rest) or code
    if code:
        raise SystemExit(code)


@cli.command(context_settings=PASSED_ON)
@click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="create|list|revoke [OPTIONS]")
def keys(rest: tuple[str, ...]) -> None:
    """Make, list and revoke keys of the REST API, e.g. keys create "Aigul's shop" --scope write:purchases"""
    pass_on(current(), "keys", ["api.keys", *rest])


@cli.command()
@click.argument("name")
@click.option("--day", help="Build only this day, e.g. 2026-03-01.")
@click.option("--json", "as_json", is_flag=True, help="End with a line of JSON.")
def job(name: str, day: str | None, as_json: bool) -> None:
    """Run a job: `nightly` for all gold tables, or one table, e.g. gold.purchases_seller_daily"""
    chosen = current()
    Stack(chosen).need("minio", "clickhouse")
    options = [*(["--day", day] if day else []), *(["--json"] if as_json else [])]
    pass_on(chosen, "job", ["jobs.commands.run", name, *options])


@cli.command()
@click.argument("domain")
@click.argument("first", metavar="FROM", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("last", metavar="TO", type=click.DateTime(["%Y-%m-%d"]))
def backfill(domain: str, first: datetime, last: datetime) -> None:
    """Build the days FROM to TO of a DOMAIN again, both of them too, e.g. purchases 2026-03-01 2026-03-31

    Airflow runs the domain's night for each day in turn; tables without a day are built with the last. Days that were
    built before are built again. This command tells of each day and ends with the last; after Ctrl-C Airflow goes on.
    """
    from infra.local.commands import backfill as filling
    from infra.local.servers import airflow

    chosen = current()
    filling.checked(domain, first.date(), last.date(), datetime.now(UTC).date())
    Stack(chosen).need("minio", "clickhouse", "stream", *airflow.PARTS)
    if not filling.run(chosen, domain, first.date(), last.date(), click.echo):
        raise SystemExit(1)


@cli.command()
@click.option("--repair", is_flag=True, help="Load what differs from the lake into ClickHouse again.")
@click.option("--json", "as_json", is_flag=True, help="End with a line of JSON.")
def reconcile(repair: bool, as_json: bool) -> None:
    """Compare the lake with ClickHouse, day by day: counts, checksums, money."""
    chosen = current()
    Stack(chosen).need("minio", "clickhouse")
    pass_on(
        chosen, "job", ["jobs.commands.reconcile", *(["--repair"] if repair else []), *(["--json"] if as_json else [])]
    )


@cli.command(context_settings=PASSED_ON)
@click.argument("domain")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def check(domain: str, options: tuple[str, ...]) -> None:
    """Judge what silver holds of a DOMAIN, e.g. procurement: references resolve, no table has shrunk.

    Options: --collection NAME, --accept (take the present counts for right), --json. All findings: ops.latest_checks.
    """
    chosen = current()
    Stack(chosen).need("clickhouse")
    pass_on(chosen, "job", ["jobs.commands.check", domain, *options])


@cli.command(context_settings=PASSED_ON)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def drift(options: tuple[str, ...]) -> None:
    """Report which fields of procurement's registers are new or gone, on the newest day.

    Options: --day D, --json. All reports: ops.drifted_fields.
    """
    chosen = current()
    Stack(chosen).need("minio", "clickhouse")
    pass_on(chosen, "job", ["jobs.commands.drift", *options])


@cli.command(context_settings=PASSED_ON)
@click.argument("topics", nargs=-1, required=True, type=click.UNPROCESSED)
def settle(topics: tuple[str, ...]) -> None:
    """Wait until lake and ClickHouse have all that TOPICS hold now, e.g. procurement-events

    Options: --minutes N, how long at most (10).
    """
    chosen = current()
    Stack(chosen).need("kafka", "stream")
    pass_on(chosen, "job", ["jobs.commands.settle", *topics])


cli.add_command(accept_loss)
cli.add_command(collection)


@cli.command()
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Keep showing what is added, until Ctrl-C.")
@click.option("-n", "--lines", default=50, show_default=True, help="How many of the last lines to show.")
def logs(name: str, follow: bool, lines: int) -> None:
    """Show the log of a part, e.g. stream; those of Airflow's tasks are in its pages."""
    folder = current().logs
    file = folder / f"{name}.log"
    if not file.exists():
        there = sorted(log.stem for log in folder.glob("*.log"))
        raise Refused(f"There is no log of {name!r}; there are: {', '.join(there) or 'none, nothing was started yet'}")
    with file.open(errors="replace") as log:
        # The supervisor rotates at 20 MB, so the whole file can be read.
        click.echo("".join(log.readlines()[-lines:]), nl=False)
        while follow:
            click.echo(log.read(), nl=False)
            time.sleep(0.3)


@cli.command()
def down() -> None:
    """Stop everything of this stack. The data stays."""
    stack = Stack(current())
    with stack.alone():
        click.echo("Stopped." if stack.down() else "Nothing was running.")


@cli.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> None:
    """Stop everything and remove this stack's data, logs and passwords. The tools stay."""
    chosen = current()
    stack = Stack(chosen)
    with stack.alone():
        if not yes:
            click.confirm(f"Remove everything in {chosen.stack_home}?", abort=True)
        stack.reset()
        click.echo(f"Stack `{chosen.stack}` is empty.")


@cli.command(context_settings=PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure against rivals, on a stack of its own (stack `bench`). ARGUMENTS go to bench/run.py."""
    from infra.local import deploy

    chosen = current("bench")
    if chosen.stack == "main":
        raise Refused("The measurements take their stack down, so they do not run on `main`: unset SAUDA_STACK.")
    stack = Stack(chosen)
    with stack.alone():
        stack.check_ports()
        try:
            Runner(out()).run([*stack.up_steps(), *stack.database_steps(), *deploy.steps(chosen)])
            pass_on(chosen, "bench", ["bench.run", *arguments])
        finally:
            stack.down()


def _terminated(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run a command and end the process with its exit code: 0 good, 1 failed, 2 the user's mistake."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # As after Ctrl-C: what has to be taken down is taken down.
    signal.signal(signal.SIGTERM, _terminated)
    code = 0
    trouble = Console(stderr=True, highlight=False)
    try:
        cli.main(prog_name="./start.sh", standalone_mode=False)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except (click.exceptions.Abort, KeyboardInterrupt):
        trouble.print("Stopped. ./start.sh goes on from here; ./start.sh down stops what runs.")
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except Failed as error:
        trouble.print(str(error), markup=False, soft_wrap=True, style="red")
        code = error.code
    children.stop_children()
    sys.stdout.flush()
    # Threads of steps that still run are left behind on purpose.
    os._exit(code)
