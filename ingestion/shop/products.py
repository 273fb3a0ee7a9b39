"""Files of products into the stage area, from which the batch driver loads them (`silver.shop_products`)."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from conf import Settings
from conf.domains.shop import ShopSettings
from ingestion.core.errors import Unreadable
from ingestion.core.registry import Collector, Connect, RunContext, simulated_input
from ingestion.shop.bucket import Bucket, opened
from ingestion.shop.check_process import STAGED, CheckProcess
from ingestion.shop.file_faults import FileRefused
from ingestion.shop.file_intake import INCOMING, FileIntake, Outcome
from ingestion.shop.files import check_name
from ingestion.shop.stage import alone

NAME = "shop.products"
SIMULATED = "products.parquet"


def drop(bucket: Bucket, path: Path) -> str:
    """Put a file where files wait; its name there. Raises Unreadable for a name that would be refused."""
    try:
        check_name(path.name)
    except FileRefused as problem:
        raise Unreadable(f"{path}: {problem}") from None
    bucket.upload(f"{INCOMING}{path.name}", path)
    return path.name


@dataclass(frozen=True)
class Intake:
    """A run that was asked for. `path` is a file of this machine that is dropped first."""

    context: RunContext
    path: Path | None
    seed: int | None
    as_json: bool

    def run(self, settings: Settings, console: Console, connect: Connect) -> int:  # noqa: ARG002
        limits = ShopSettings.of(settings)
        with (
            alone(settings, STAGED.table), opened(settings) as bucket,
            tempfile.TemporaryDirectory(prefix="sauda-") as scratch,
        ):  # fmt: skip
            folder, given = Path(scratch), self.path
            if self.seed is not None:
                given = folder / SIMULATED
                simulated_input(NAME).write(given, self.seed, self.context.now)
            dropped = drop(bucket, given) if given else ""
            check = CheckProcess(limits.stage_memory_mb << 20)
            intake = FileIntake(bucket, folder, limits.stage_file_mb << 20, check, settings.shop_time_zone)
            outcomes = [self._report(intake.take(file)) for file in intake.waiting()]
            intake.forget(self.context.now - timedelta(days=limits.stage_kept_days))
        if not outcomes:
            click.echo(f"{NAME}: no file waits in {settings.bucket}/{INCOMING}.")
        if self.as_json:
            counts = dict(Counter(str(outcome.became) for outcome in outcomes))
            summary: dict[str, Any] = {"source": NAME, **counts, "files": [asdict(o) for o in outcomes]}
            click.echo(json.dumps(summary | {"rows": sum(o.rows for o in outcomes if o.became == "staged")}))
        # A bad file that someone dropped does not stop the night; whoever hands one over is told.
        return int(any(o.became == "rejected" and o.file == dropped for o in outcomes))

    def _report(self, outcome: Outcome) -> Outcome:
        mark = {"staged": "✓", "seen": "=", "rejected": "✗", "replaced": "…"}[outcome.became]
        click.echo(f"{mark} {outcome.file!r}: {outcome.sentence}")
        return outcome


def _open(context: RunContext, *, path: Path | None, simulated: int | None, as_json: bool) -> Intake:
    return Intake(context, path, simulated, as_json)


SOURCE = Collector(
    NAME,
    "Files of products (Parquet, CSV, workbooks, JSON, JSON Lines) from the bucket's incoming folder, or FILE, into "
    "the stage.",
    (
        click.Argument(
            ["path"], type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="[FILE]", required=False
        ),
        click.Option(["--simulated"], type=int, metavar="SEED", help="Drop the simulated world's products first."),
        click.Option(["--json", "as_json"], is_flag=True, help="End with the figures as one line of JSON."),
    ),
    _open,
)
