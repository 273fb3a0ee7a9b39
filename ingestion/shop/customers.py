"""Customers from PostgreSQL into the stage area, from which the batch driver loads them (`silver.shop_customers`)."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

import click
import orjson
from rich.console import Console

from conf import Settings
from conf.domains.shop import ShopSettings
from ingestion.core.errors import IngestError
from ingestion.core.registry import Collector, Connect, RunContext
from ingestion.shop.bucket import Bucket, opened
from ingestion.shop.customer_hashes import KnownFile, file_name, forget_older, known
from ingestion.shop.extract import CUSTOMERS, STAGED, ExtractRun, ExtractStats, changed, compared
from ingestion.shop.snapshot import Snapshot, database, later, snapshot
from ingestion.shop.stage import StageState, alone, finish, instant, read_state, stage_run, utc

NAME = "shop.customers"
REJECTED = "stage/rejected/customers/"
SHOWN_SET_ASIDE = 5
FEW_GONE = 20
"""So many may be gone of any number: in a small shop, one is a large share."""


def stage_changes(
    bucket: Bucket, shown: Snapshot, state: StageState, overlap: timedelta, folder: Path
) -> tuple[StageState, ExtractStats]:
    """Stage what changed since the last run. Cut off anywhere, it is as if it had not been begun."""
    stats, mark = ExtractStats(), instant(state.watermark)
    run = ExtractRun(state.run_no + 1, later(shown.taken_at, instant(state.taken_at)))
    rows = shown.rows(CUSTOMERS, mark - overlap if mark else None)
    staged = stage_run(bucket, STAGED, run.run_no, changed(rows, run, stats), folder)
    report(bucket, run, stats)
    after = replace(
        state,
        run_no=run.run_no if staged else state.run_no,
        taken_at=utc(run.taken_at),
        watermark=utc(shown.complete_until),
    )
    finish(bucket, STAGED.table, after)
    return after, stats


def stage_all(
    bucket: Bucket, shown: Snapshot, state: StageState, folder: Path, *, gone_pct: float = 100.0, accept: bool = False
) -> tuple[StageState, ExtractStats]:
    """Compare every customer with what is known, and stage what differs and who is gone.

    Raises IngestError where all are gone, or more than `gone_pct` of those known, unless it is told to `accept` that:
    most likely it is another database, or one that was restored in part.
    """
    stats = ExtractStats()
    run = ExtractRun(state.run_no + 1, later(shown.taken_at, instant(state.taken_at)))
    with KnownFile(folder / "all.parquet") as file:
        rows = compared(shown.rows(CUSTOMERS, None), known(bucket, state, folder), run, stats, file.add)
        stage_run(bucket, STAGED, run.run_no, rows, folder)
    report(bucket, run, stats)
    if not accept:
        _refuse_great_loss(stats, gone_pct)
    bucket.upload(file_name(run.run_no), file.file)
    file.file.unlink()
    after = replace(
        state, run_no=run.run_no, full_run=run.run_no, taken_at=utc(run.taken_at), watermark=utc(shown.complete_until)
    )
    finish(bucket, STAGED.table, after)
    forget_older(bucket, after)
    return after, stats


def report(bucket: Bucket, run: ExtractRun, stats: ExtractStats) -> None:
    """Rows that cannot be read, as JSON Lines in the bucket: who, which column, why. Nothing else of a person."""
    name = f"{REJECTED}run={run.run_no:08d}.jsonl"
    if stats.set_aside:
        lines = [orjson.dumps(asdict(bad), option=orjson.OPT_APPEND_NEWLINE) for bad in stats.set_aside]
        bucket.write(name, b"".join(lines))
    else:
        bucket.remove(name)


def _refuse_great_loss(stats: ExtractStats, gone_pct: float) -> None:
    if stats.gone and not (stats.changed or stats.unchanged):
        loss = f"{CUSTOMERS.name} has no row, where {stats.known:,} customers were known"
    elif stats.gone > max(FEW_GONE, stats.known * gone_pct / 100):
        loss = f"{stats.gone:,} of {stats.known:,} known customers are gone from {CUSTOMERS.name}, over {gone_pct:g} %"
    else:
        return
    raise IngestError(
        f"{loss}; nothing was staged. Is SAUDA_POSTGRES_URL the right database, and whole? "
        "If they were deleted on purpose: --full-check --accept"
    )


@dataclass(frozen=True)
class Extract:
    """A run that was asked for. The first one of all is a full check, whatever was asked."""

    context: RunContext
    is_full: bool
    accept: bool
    as_json: bool

    def run(self, settings: Settings, console: Console, connect: Connect) -> int:  # noqa: ARG002
        began, limits = time.monotonic(), ShopSettings.of(settings)
        overlap = timedelta(seconds=limits.customers_overlap_seconds)
        with (
            alone(settings, STAGED.table), opened(settings) as bucket, database(settings) as connection,
            snapshot(connection) as shown, tempfile.TemporaryDirectory(prefix="sauda-") as scratch,
        ):  # fmt: skip
            before, folder = read_state(bucket, STAGED.table), Path(scratch)
            if self.is_full or not before.full_run:
                after, stats = stage_all(
                    bucket, shown, before, folder, gone_pct=limits.customers_gone_pct, accept=self.accept
                )
                how = "all were compared"
            else:
                after, stats = stage_changes(bucket, shown, before, overlap, folder)
                how = f"changed since {before.watermark[:19]}Z, and {overlap.total_seconds():.0f} s before"
        seconds = time.monotonic() - began
        staged = f"in run {after.run_no}" if stats.changed or stats.gone else "so nothing was staged"
        click.echo(
            f"{NAME}: {stats.changed:,} new or changed and {stats.gone:,} gone, {staged} ({how}). {seconds:.1f} s."
        )
        for bad in stats.set_aside[:SHOWN_SET_ASIDE]:
            self.context.say(f"The customer {bad.customer_id} is set aside: {bad.sentence}.")
        if stats.set_aside:
            self.context.say(
                f"{len(stats.set_aside):,} rows cannot be read and were set aside; all are in {REJECTED} of the "
                "bucket. Mend them in the database: the next run takes them."
            )
        if self.as_json:
            summary = asdict(stats) | {"set_aside": len(stats.set_aside)}
            click.echo(json.dumps({"source": NAME, **summary, **asdict(after), "seconds": round(seconds, 3)}))
        return 0


def _open(context: RunContext, *, full_check: bool, accept: bool, as_json: bool) -> Extract:
    return Extract(context, full_check, accept, as_json)


SOURCE = Collector(
    NAME,
    "Customers of the shop's database into the stage area: those that changed since the last run.",
    (
        click.Option(
            ["--full-check"], is_flag=True,
            help="Compare every customer with what is known: finds who was deleted, and what changed unseen.",
        ),
        click.Option(
            ["--accept", "--may-be-empty", "accept"], is_flag=True,
            help="Believe a full check however many customers are gone, or all.",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="End with the figures as one line of JSON."),
    ),
    _open,
)  # fmt: skip
