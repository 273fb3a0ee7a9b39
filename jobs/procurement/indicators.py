"""The red flags of a collection: ``python -m jobs.procurement.indicators --collection C [--settings F] [--export F]``.

Settings and export have the forms of OCP's Cardinal, so that both programs can be compared on the same files. Each
process is looked at by itself, on as many cores as there are; what the observations add up to is concluded here.

Exit code 0: the flags are computed. 1: a part is down. 2: the settings are wrong, or the collection is not there.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa
from pyspark.sql import functions as F

from conf import Settings, settings
from conf.spark import spark_session
from jobs.core.command_line import with_exit_code
from jobs.core.errors import Refused
from jobs.core.lake import S3Lake
from jobs.core.latest import COLLECTION, latest
from jobs.core.needed_parts import need_parts
from jobs.procurement.flags.flag import GROUPS, Conclusion, Measure, Observation, Result
from jobs.procurement.flags.process import COLUMNS, Process, process_of
from jobs.procurement.flags.settings import FlagSettings, WrongSettings, default_settings, read_settings
from jobs.procurement.flags.statistics import rounded
from schemas.contract import contract
from schemas.procurement.silver.processes import Processes
from schemas.procurement.silver.tenders import Deletions

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Export = dict[str, dict[str, dict[str, Any]]]
OBSERVED = "code string, part string, subject string, numerator double, denominator double, detail string"
LEFT_OUT = "left out"
"""The part of observations that count processes of which no flag is computed, by the reason."""
CANCELLED, EXCLUDED, TOO_MANY = "cancelled", "excluded by the settings", "more bids than a message takes"


@dataclass(frozen=True)
class Outcome:
    """By flag what was concluded; how many processes there are, and how many were left out and why."""

    conclusions: Mapping[str, Conclusion]
    processes: int
    left_out: Mapping[str, int]
    currency: str | None


def observations(process: Process, chosen: FlagSettings) -> Iterator[Observation]:
    """What one process contributes to all flags; or why it contributes nothing."""
    if process.status == "cancelled":
        yield Observation("", LEFT_OUT, CANCELLED, 1)
    elif not chosen.common.includes(process):
        yield Observation("", LEFT_OUT, EXCLUDED, 1)
    elif not process.has_all_bids:
        yield Observation("", LEFT_OUT, TOO_MANY, 1)
    else:
        for flag in chosen.flags:
            yield from flag.observe(process, chosen.common)


def compute(processes: DataFrame, chosen: FlagSettings) -> Outcome:
    """All flags of these processes: rows of `silver.procurement_processes`, of each process one."""
    common = chosen.common
    if common.currency is None and any(flag.compares_amounts() for flag in chosen.flags):
        chosen = replace(chosen, common=replace(common, currency=_first_currency(processes, chosen)))

    def observed(process: Process) -> Iterable[Observation]:
        return observations(process, chosen)

    # A result is observed once, or with the same value each time: the greatest is it.
    added = processes.select(*COLUMNS).mapInArrow(_each(observed), OBSERVED).groupBy("code", "part", "subject").agg(
        F.sum("numerator").alias("numerator"), F.sum("denominator").alias("denominator"),
        F.count_distinct("detail").alias("kinds"), F.max("detail").alias("detail"),
        F.max("numerator").alias("greatest"),
    )  # fmt: skip
    conclusions = {flag.code: Conclusion() for flag in chosen.flags}
    measures: dict[str, list[Measure]] = defaultdict(list)
    left_out: Counter[str] = Counter()
    for row in added.toArrow().to_pylist():
        code, part, subject = row["code"], row["part"], row["subject"]
        if part == LEFT_OUT:
            left_out[subject] = int(row["numerator"])
        elif part in GROUPS:
            conclusions[code].results.append(Result(part, subject, row["greatest"]))
        else:
            sums = row["numerator"], row["denominator"]
            measures[code].append(Measure(part, subject, *sums, row["kinds"], row["detail"]))
    for flag in chosen.flags:
        concluded = flag.conclude(measures[flag.code])
        conclusions[flag.code].results += concluded.results
        conclusions[flag.code].limits |= concluded.limits
    return Outcome(conclusions, processes.count(), left_out, chosen.common.currency)


def export(outcome: Outcome) -> Export:
    """In Cardinal's form: group, id, code, value; and the quartiles and fences, to four digits."""
    output: Export = {group: {} for group in GROUPS}
    meta: dict[str, dict[str, Any]] = {}
    for code, conclusion in outcome.conclusions.items():
        for result in sorted(conclusion.results):
            output[result.group].setdefault(result.subject, {})[code] = result.value
        if conclusion.limits:
            meta[code] = {name: rounded(value) for name, value in conclusion.limits.items()}
    return {group: ids for group, ids in output.items() if ids} | {"Meta": meta}


def _first_currency(processes: DataFrame, chosen: FlagSettings) -> str | None:
    """The first currency that a flag meets, in the order of the ocids."""

    def observed(process: Process) -> Iterator[Observation]:
        if chosen.common.includes(process) and process.has_all_bids:
            currencies = (flag.observed_currency(process, chosen.common) for flag in chosen.flags)
            if currency := next(filter(None, currencies), None):
                yield Observation("", "currency", process.ocid, detail=currency)

    first = processes.select(*COLUMNS).mapInArrow(_each(observed), OBSERVED).orderBy("subject").limit(1).collect()
    return str(first[0]["detail"]) if first else None


def _each(
    observed: Callable[[Process], Iterable[Observation]],
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function over Spark's batches of rows."""

    def over(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            seen = [one for row in batch.to_pylist() for one in observed(process_of(row))]
            columns = zip(*seen, strict=True) if seen else ([] for _ in Observation._fields)
            kinds = (pa.string(), pa.string(), pa.string(), pa.float64(), pa.float64(), pa.string())
            arrays = [pa.array(list(values), kind) for values, kind in zip(columns, kinds, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, list(Observation._fields))

    return over


def processes_of(spark: SparkSession, lake: S3Lake, collection: str) -> DataFrame:
    """The processes of a collection as they are now. Raises Refused where there are none."""
    tables = [contract(table) for table in (Processes, Deletions)]
    versions = [lake.version(table.name) for table in tables]
    frames = [
        lake.read(spark, table.name, version).where(F.col(COLLECTION) == collection)
        for table, version in zip(tables, versions, strict=True)
        if version is not None
    ]
    if len(frames) < len(tables):
        raise Refused("No process is in the lake yet. ./start.sh ingest procurement.ocds FILE --collection NAME")
    rows = latest(frames[0], Processes, frames[1])
    if rows.isEmpty():
        names = sorted(row[0] for row in lake.read(spark, tables[0].name, versions[0] or 0).select(COLLECTION)
                       .distinct().collect())  # fmt: skip
        raise Refused(f"The collection {collection!r} has no process of OCDS; there are: {', '.join(names) or 'none'}.")
    return rows


@click.command()
@click.option("--collection", required=True, help="The collection whose flags are computed.")
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A settings file of Cardinal: flags, thresholds, exclusions.  [default: all flags, as they are by default]",
)
@click.option(
    "--export", "export_file", type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="Write the results there, in Cardinal's form.",
)  # fmt: skip
@with_exit_code
def main(collection: str, settings_file: Path | None, export_file: Path | None) -> int:
    """Compute the red flags of a collection of OCDS."""
    if export_file is not None and not export_file.absolute().parent.is_dir():
        raise Refused(f"The export cannot be written: there is no folder {export_file.absolute().parent}.")
    chosen = _chosen(settings_file)
    began = time.monotonic()
    outcome = _run(settings(), collection, chosen)
    seconds = time.monotonic() - began
    output = export(outcome)
    if export_file is not None:
        export_file.write_text(json.dumps(output, ensure_ascii=False) + "\n", encoding="utf-8")
    _show(outcome, collection, seconds)
    if export_file is not None:
        click.echo(f"The results are in {export_file}.")
    return 0


def _chosen(file: Path | None) -> FlagSettings:
    if file is None:
        return default_settings()
    try:
        return read_settings(file.read_text(encoding="utf-8-sig"))
    except (WrongSettings, UnicodeDecodeError) as problem:
        raise Refused(f"The settings {file}: {problem}") from None


def _run(configured: Settings, collection: str, chosen: FlagSettings) -> Outcome:
    need_parts(configured)
    click.echo("Spark starts, and reads the processes.")
    spark = spark_session(
        configured, f"sauda indicators {collection}", memory=configured.job_memory, ui_port=configured.port("job_ui"),
        quick=True,
    )  # fmt: skip
    try:
        processes = processes_of(spark, S3Lake(configured), collection).persist()
        return compute(processes, chosen)
    finally:
        spark.stop()


def _show(outcome: Outcome, collection: str, seconds: float) -> None:
    currency = f", main currency {outcome.currency}" if outcome.currency else ""
    click.echo(f"{collection}: {outcome.processes:,} processes, in {seconds:.1f} s{currency}.")
    for reason, count in sorted(outcome.left_out.items()):
        click.echo(f"Left out, {reason}: {count:,} processes.")
    for code, conclusion in outcome.conclusions.items():
        counts = Counter(group for group, _ in {(result.group, result.subject) for result in conclusion.results})
        raised = ", ".join(f"{counts[group]:,} {group}" for group in GROUPS if counts[group]) or "none"
        limits = ", ".join(f"{name} {rounded(value)}" for name, value in conclusion.limits.items())
        click.echo(f"{code}  {raised}" + (f"  ({limits})" if limits else ""))
    click.echo("A flag is worth a look; it proves nothing. docs/reference/flags/ says what each means.")


if __name__ == "__main__":
    main()
