"""The streaming process: ``python -m streaming.run``. Every domain, both lanes, until it gets SIGTERM.

The live lane has a scheduling pool of its own, and Spark more task slots than the machine has cores, so that a small
live batch never waits for the lake's large ones.

Several processes share the domains, on one machine (`stream_processes`) or on several (``--domains``); each holds the
lease of its domains.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from functools import partial

import click

from conf import Settings, settings
from conf.lease import NotOurs
from conf.spark import spark_session
from streaming.core import callback_guard, spark_lock
from streaming.core.compaction import Compactor
from streaming.core.domain import Domain
from streaming.core.domain_runner import DomainRunner
from streaming.core.lake_access import LakeAccess
from streaming.core.launcher import command, launch
from streaming.core.progress import Progress, serve
from streaming.core.queries import sentence
from streaming.core.registry import NotComplete, chosen_domains, domains, domains_of_process

log = logging.getLogger("sauda.stream")


def stop_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def run(
    chosen: Settings, lanes: Sequence[str], selected: Sequence[Domain], number: int = 0, *, launched: bool = False
) -> None:  # fmt: skip
    """Start everything and wait for a signal. `number` is that of the process, from 0, and moves its ports.

    A process that was `launched` by another ends with that one.
    """
    stopping, parent = stop_signal(), os.getppid()
    progress = Progress()
    names = [domain.name for domain in selected]
    all_names = [domain.name for domain in domains()]
    access = LakeAccess(chosen, "stream" if names == all_names else f"stream of {', '.join(names)}", names)
    serve(progress, chosen.port("metrics") + number)
    spark = spark_session(
        chosen, "sauda-stream", memory=chosen.stream_memory, ui_port=chosen.port("spark_ui") + number, streaming=True
    )
    callback_guard.guard(spark)
    locks = spark_lock.take_in_java(spark, chosen.run, names)
    log.info("the lake's tables of %s are held: %s", ", ".join(names), locks)
    runners = [DomainRunner(spark, chosen, domain, lanes, progress, access.granted) for domain in selected]
    compactor = Compactor(spark, chosen, [table for domain in selected for table in domain.tables])
    try:
        for runner in runners:
            runner.start()
        gateway = spark.sparkContext._gateway
        assert gateway is not None
        spark_process = gateway.proc
        while not stopping.wait(1 if progress.ready.is_set() else 0.1):
            access.check()
            if "lake" in lanes and access.granted.is_set() and compactor.ident is None:
                compactor.start()
            if launched and os.getppid() != parent:
                log.error("the process that started this one has ended")
                return
            if not progress.ready.is_set() and all(runner.attempted.is_set() for runner in runners):
                progress.ready.set()
                log.info("%s run; progress on port %d", ", ".join(names), chosen.port("metrics") + number)
            if spark_process.poll() is not None:
                raise OSError(f"Spark's Java process ended with {spark_process.returncode}; the supervisor starts anew")
    finally:
        for runner in runners:
            runner.stop()
        compactor.stop()
        spark.stop()
        access.close()


@click.command()
@click.option("--lanes", default="live,lake", show_default=True, help="Which lanes to run, with a comma between.")
@click.option("--domains", "wanted", default="", help="Only these domains, with a comma between.  [default: all]")
@click.option(
    "--process", default=0, type=click.IntRange(min=0), help="Only the domains of this process, from 1, of those that "
    "SAUDA_STREAM_PROCESSES names.",
)  # fmt: skip
@click.option("--launched", is_flag=True, hidden=True)
def main(lanes: str, wanted: str, process: int, launched: bool) -> None:
    """Run the streams of the domains until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    chosen = tuple(lanes.split(","))
    if unknown := set(chosen) - {"live", "lake"}:
        raise click.BadParameter(f"{', '.join(sorted(unknown))} is no lane; there are live and lake")
    if wanted and process:
        raise click.UsageError("--domains and --process exclude one another")
    try:
        groups = settings().stream_groups
        # Whatever is run here: a domain that would run nowhere is refused.
        shares = [domains_of_process(groups, number) for number in range(1, len(groups) + 1)]
        if wanted:
            run(settings(), chosen, chosen_domains(wanted.split(",")))
        elif process or len(groups) == 1:
            run(settings(), chosen, domains_of_process(groups, process or 1), max(0, process - 1), launched=launched)
        else:
            launch(len(shares), stop_signal(), partial(command, lanes))
    except (NotComplete, NotOurs) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(sentence(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
