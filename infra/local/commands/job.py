"""``./start.sh job``: gold tables, or an analysis, built now."""

from __future__ import annotations

import click

from conf import REPOSITORY
from infra.local.command_line import PASSED_ON, StackCommand, current, pass_on


@click.command(cls=StackCommand, needs=("minio", "clickhouse"), context_settings=PASSED_ON)
@click.argument("name")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def job(name: str, options: tuple[str, ...]) -> None:
    """Run a job: `nightly` for all gold tables, or one table, e.g. gold.purchases_seller_daily

    Options of tables: --day D builds only this day, e.g. 2026-03-01; --json ends with a line of JSON.

    An analysis has options of its own, e.g. procurement.indicators --collection C; see job NAME -- --help.
    """
    domain, _, analysis = name.partition(".")
    is_analysis = domain.isidentifier() and (REPOSITORY / "jobs" / domain / f"{analysis}.py").is_file()
    module = [f"jobs.{name}"] if is_analysis and analysis.isidentifier() else ["jobs.commands.run", name]
    pass_on(current(), "job", [*module, *(word for word in options if word != "--")])
