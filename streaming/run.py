"""The streaming process: ``python -m streaming.run``. Every domain, both lanes, until it gets SIGTERM.

The live lane has a scheduling pool of its own, and Spark more task slots than the machine has cores, so that a small
live batch never waits for the lake's large ones.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conf import Settings, settings
from conf.lease import NotOurs, take_lease
from conf.spark import spark_session
from schemas.derive import live_tables
from streaming.core import callback_guard, spark_lock
from streaming.core.backfill import Filler, step_over_backlog
from streaming.core.checkpoints import checkpoint_id, checkpoint_position
from streaming.core.compaction import Compactor
from streaming.core.lake import LakeLane, batch_base
from streaming.core.live import LiveLane
from streaming.core.live_dedup import Known
from streaming.core.lost_offsets import Look, Place
from streaming.core.progress import Progress, serve
from streaming.core.queries import Lane, Runner, sentence
from streaming.core.registry import Domain, domains
from streaming.core.schema_check import make_ready

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

log = logging.getLogger("sauda.stream")


def folder(chosen: Settings, lane: str, domain: Domain) -> Path:
    """Where a lane keeps its checkpoint (in `spark`) and its notes."""
    return Path(chosen.checkpoints) / lane / domain.name


def lake_lane(spark: SparkSession, chosen: Settings, domain: Domain, progress: Progress, place: Place) -> Lane:
    name, home = f"lake:{domain.name}", folder(chosen, "lake", domain)
    lane = LakeLane(spark, chosen, domain)
    if not (home / "spark" / "metadata").exists() and (last := lane.last_batch()) is not None:
        # The checkpoint was lost: its last batch may have been cut off between bronze and silver.
        lane.refine(last)

    def handle(batch: DataFrame, batch_id: int) -> dict[str, int]:
        base = batch_base(home, checkpoint_id(home / "spark"), lane.following_batch)
        counts = lane.write(batch, base + batch_id)
        return {
            "read": counts.read,
            "accepted": counts.accepted,
            "superseded": counts.superseded,
            "refused": counts.quarantined,
            "duplicates": counts.duplicates,
        }

    seen: list[Look] = []

    def look() -> dict[str, int]:
        seen[:] = [place.need("lake")]
        # Whoever looks for the events of some offsets in silver adds this to them.
        progress.set(name, ahead=dict(place.numbering.ahead))
        return seen[0].high

    def start() -> str:
        # Where there is a checkpoint, Spark goes on from it and looks at no other beginning.
        return place.start(seen[0])

    progress.set(name, topic=domain.topic)
    trigger, most = chosen.lake_trigger_seconds, chosen.lake_batch_events
    return Lane(
        name, domain.topic, home, trigger, most, start, handle, "lake", look=look, numbering=place.numbering
    )  # fmt: skip


def known_events(chosen: Settings, domain: Domain) -> Known | None:
    """The filters that the live lane looks into, and that are told of what is filled in from the lake."""
    if not domain.is_live or not domain.corrections:
        return None
    (branch,) = domain.branches
    return Known(branch.silver, chosen.dedup_days)


def live_lane(
    spark: SparkSession, chosen: Settings, domain: Domain, progress: Progress, place: Place, known: Known | None = None
) -> Lane:
    name, home = f"live:{domain.name}", folder(chosen, "live", domain)
    lane = LiveLane(spark, chosen, domain, known)

    def handle(batch: DataFrame, batch_id: int) -> dict[str, int]:
        counts = lane.write(batch, checkpoint_id(home / "spark"), batch_id)
        progress.fresh(name, counts.ages)
        parts = ("accepted", "superseded", "refused", "duplicates")
        found = {name: int(getattr(counts, name)) for name in parts}
        return found | {"read": sum(found.values())}

    def start() -> str:
        return step_over_backlog(chosen, domain, home, place.numbering)

    progress.set(name, topic=domain.topic)
    trigger, most = chosen.live_trigger_seconds, chosen.live_batch_events
    return Lane(
        name, domain.topic, home, trigger, most, start, handle, "live", lane.shape,
        look=lambda: place.need("live").high, numbering=place.numbering,
    )  # fmt: skip


def filler(chosen: Settings, domain: Domain, progress: Progress, place: Place, known: Known | None = None) -> Filler:
    """Follows the lake lane by its checkpoint; where it has none yet, by where it begins."""
    lake = folder(chosen, "lake", domain) / "spark"

    def reached() -> dict[str, int]:
        return checkpoint_position(lake, domain.topic) or progress.position(f"lake:{domain.name}")

    made = Filler(chosen, domain, folder(chosen, "live", domain), reached, progress, known, place.numbering)
    made.report()
    return made


def run(chosen: Settings, lanes: tuple[str, ...]) -> None:
    """Start everything and wait for a signal."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    progress = Progress()
    held = take_lease(chosen, "stream", "stream")
    serve(progress, chosen.port("metrics"))
    spark = spark_session(
        chosen, "sauda-stream", memory=chosen.stream_memory, ui_port=chosen.port("spark_ui"), streaming=True
    )
    callback_guard.guard(spark)
    lock = spark_lock.take_in_java(spark, chosen.run)
    log.info("the lake's tables are held: %s", lock)
    runners: list[Runner] = []
    helpers: list[Compactor | Filler] = []
    try:
        tables = [t for d in domains() for t in d.tables]
        make_ready(spark, chosen, tables)
        places = {domain.name: Place(spark, chosen, domain) for domain in domains()}
        for place in places.values():
            place.settle()
        known = {domain.name: known_events(chosen, domain) for domain in domains()}
        for domain in domains():
            place = places[domain.name]
            made = [lake_lane(spark, chosen, domain, progress, place)] if "lake" in lanes else []
            if "live" in lanes and domain.is_live:
                made.append(live_lane(spark, chosen, domain, progress, place, known[domain.name]))
            runners += [Runner(spark, chosen, lane, progress) for lane in made]
        for runner in runners:
            runner.start()
        if "lake" in lanes:
            fillers = [filler(chosen, d, progress, places[d.name], known[d.name]) for d in domains()]
            helpers = [Compactor(spark, chosen, tables), *fillers]
        for helper in helpers:
            helper.start()
        progress.ready.set()
        log.info("%d queries run; progress on port %d", len(runners), chosen.port("metrics"))
        gateway = spark.sparkContext._gateway
        assert gateway is not None
        spark_process = gateway.proc
        while not stopping.wait(1):
            held.check()
            if spark_process.poll() is not None:
                raise OSError(f"Spark's Java process ended with {spark_process.returncode}; the supervisor starts anew")
    finally:
        for runner in runners:
            runner.stop()
        for helper in helpers:
            helper.stop()
        spark.stop()
        held.close()


@click.command()
@click.option("--lanes", default="live,lake", show_default=True, help="Which lanes to run, with a comma between.")
def main(lanes: str) -> None:
    """Run the streams of every domain until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    chosen = tuple(lanes.split(","))
    if unknown := set(chosen) - {"live", "lake"}:
        raise click.BadParameter(f"{', '.join(sorted(unknown))} is no lane; there are live and lake")
    try:
        run(settings(), chosen)
    except (live_tables.ContractMismatch, NotOurs) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(sentence(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
