"""``./start.sh job``: gold tables, or an analysis, built now."""

from __future__ import annotations

import click

from conf import REPOSITORY
from infra.local.command_line import PASSED_ON, StackCommand, current, pass_on


@click.command(cls=StackCommand, needs=("minio", "clickhouse"), context_settings=PASSED_ON)
@click.argument("name")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF AN ANALYSIS]")
@click.option("--day", help="Build only this day, e.g. 2026-03-01.")
@click.option("--json", "as_json", is_flag=True, help="End with a line of JSON.")
def job(name: str, words: tuple[str, ...], day: str | None, as_json: bool) -> None:
    """Run a job: `nightly` for all gold tables, or one table, e.g. gold.purchases_seller_daily

    An analysis has options of its own, e.g. procurement.indicators --collection C; job NAME --help lists them.
    """
    module = [f"jobs.{name}"] if is_analysis(name) else ["jobs.commands.run", name]
    options = [*(["--day", day] if day else []), *(["--json"] if as_json else [])]
    pass_on(current(), "job", [*module, *options, *(word for word in words if word != "--")])


def is_analysis(name: str) -> bool:
    """Whether a name such as procurement.indicators is a module of `jobs` that is a command of its own."""
    parts = name.split(".")
    file = REPOSITORY.joinpath("jobs", *parts).with_suffix(".py")
    return all(map(str.isidentifier, parts)) and file.is_file() and "__main__" in file.read_text(encoding="utf-8")
