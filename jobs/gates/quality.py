"""What checks find: judged here, kept in `ops.quality`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from schemas.contract import Contract, contract
from schemas.contract.references import Reference
from schemas.derive.expectations import Expectation
from schemas.ops.quality import Quality

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from jobs.gates.gates import GateResult

Outcome = Literal["passed", "warned", "stopped"]
QUALITY = contract(Quality)
ROWS_KEPT = "row_count.keeps"
ALL = "all"
QUARANTINE, NONE_REFUSED = "ops.quarantine", "event.is_refused"
SHOWN_REASONS = 3


@dataclass(frozen=True)
class Finding:
    """One check of one table of one collection: a row of `ops.quality`, but for what all rows of a run share."""

    collection_code: str
    table_name: str
    check_name: str
    sentence: str
    outcome: Outcome
    row_count: int
    broken_count: int = 0
    seen_value: str = ""
    wanted_value: str = ""
    example: str = ""

    def __str__(self) -> str:
        example = f", for example {self.example}" if self.example else ""
        return f"{self.table_name}: {self.sentence}{example}"


@dataclass(frozen=True)
class Resolved:
    """What was counted of a reference in one collection.

    `named` are the values that refer to something, `broken` those of them whose row is not there, `there` the rows
    that can be referred to.
    """

    reference: Reference
    collection: str
    named: int
    broken: int
    there: int
    example: str = ""


def reference_finding(result: Resolved, tolerated_pct: float) -> Finding | None:
    """Warns of any value that refers to nothing, stops where more of them do than are tolerated.

    Where there is no row to refer to, a register was not collected, which is said; but a collection without
    dictionaries (files of OCDS have none) is not asked for their codes: None.
    """
    reference = result.reference
    if not result.there and reference.part:
        return None
    share = 100 * result.broken / result.named if result.named else 0.0
    outcome: Outcome = "passed" if not result.broken else "stopped"
    target = f"{reference.target_name}.{reference.target_column}"
    sentence = f"every {reference.column} must be a {target}"
    if result.broken and not result.there:
        outcome, sentence = "warned", f"{sentence}; the collection has no row of it"
    elif result.broken:
        outcome = "warned" if share <= tolerated_pct else "stopped"
        sentence = f"{sentence}; {result.broken:,} of {result.named:,} are none"
    return Finding(
        result.collection, reference.source.name, f"{reference.column}.resolves", sentence, outcome, result.named,
        result.broken, f"{share:.4g}", f"<= {tolerated_pct:g}", result.example if result.broken else "",
    )  # fmt: skip


@dataclass(frozen=True)
class Refused:
    """Events in quarantine that broke the same rule; `event_id` and `sentence` are of the newest."""

    rule: str
    count: int
    event_id: str
    sentence: str


def quarantine_finding(collection: str, result: Sequence[Refused]) -> Finding:
    """Warns of what was refused, and names the commonest reasons."""
    total = sum(each.count for each in result)
    if not result:
        sentence, example = "no event is in quarantine", ""
    else:
        reasons = ", ".join(f"{each.count:,} by {each.rule}" for each in result[:SHOWN_REASONS])
        more = len(result) - SHOWN_REASONS
        also = f" and {more} more rules" if more > 0 else ""
        sentence = f"{total:,} events are in quarantine: {reasons}{also}"
        example = f"{result[0].event_id}: {result[0].sentence}"
    outcome: Outcome = "warned" if result else "passed"
    return Finding(collection, QUARANTINE, NONE_REFUSED, sentence, outcome, total, total, str(total), "0", example)


def count_finding(
    collection: str, table: str, now: int, before: int | None, shrink_pct: float, *, accept: bool = False
) -> Finding:
    """Stops where a table is empty that had rows, or has shrunk by more than is tolerated.

    `before` is what the last check counted that was not stopped; None where there was none. `accept` takes the present
    count for the new base, whatever it is.
    """
    least = 0 if before is None else max(1 if before else 0, -(-before * (100 - shrink_pct) // 100))
    outcome: Outcome = "passed"
    if before is None:
        sentence = f"{now:,} rows, counted for the first time"
    elif now >= least:
        sentence = f"{now:,} rows, {before:,} at the check before"
    elif accept:
        sentence = f"{now:,} rows, {before:,} at the check before: accepted by hand"
    else:
        outcome = "stopped"
        lost = "all of them are gone" if not now else f"{100 * (before - now) / before:.3g} % are gone"
        sentence = f"{now:,} rows, {before:,} at the check before: {lost}"
    gone = max(0, (before or 0) - now)
    return Finding(
        collection, table, ROWS_KEPT, sentence, outcome, now, gone, str(now), f">= {least:.0f}"
    )  # fmt: skip


def table_findings(table: Contract, gate_result: GateResult) -> list[Finding]:
    """A finding for each expectation by which the gates judged a table."""
    return [_judged(table, gate_result, expectation) for expectation in gate_result.expectations]


def _judged(table: Contract, gate_result: GateResult, expectation: Expectation) -> Finding:
    broken = next((v for v in gate_result.verdicts if v.gate == expectation.name), None)
    rows, wanted = gate_result.facts.rows, expectation.wanted.format(**gate_result.known)
    if broken is None:
        seen = gate_result.seen.get(expectation.name, wanted)
        return Finding("", table.name, expectation.name, expectation.sentence, "passed", rows, 0, seen, wanted)
    outcome: Outcome = "stopped" if broken.stops else "warned"
    return Finding(
        "", table.name, expectation.name, expectation.sentence, outcome, rows, broken.rows, broken.seen, wanted,
        broken.example,
    )  # fmt: skip


def looked_at(table: Contract, day: date | None) -> str:
    """Whose rows of a table a run looked at: those of its day, or all. A table without a day is looked at whole."""
    return day.isoformat() if day and table.day else ALL


def verdict(findings: Iterable[Finding]) -> Outcome:
    """The worst outcome; passed where there is none."""
    outcomes = {finding.outcome for finding in findings}
    return "stopped" if "stopped" in outcomes else "warned" if "warned" in outcomes else "passed"


def counts_before(client: Client, domain: str) -> dict[tuple[str, str], int]:
    """Collection and table → rows at the last check that did not stop at the table's count."""
    result = client.query(
        f"SELECT toString(collection_code), table_name, argMax(row_count, checked_at) FROM {QUALITY.name} "
        "WHERE domain = {domain:String} AND check_name = {check:String} AND outcome != 'stopped' "
        "GROUP BY collection_code, table_name",
        parameters={"domain": domain, "check": ROWS_KEPT},
    )
    return {(str(collection), str(table)): int(rows) for collection, table, rows in result.result_rows}


def record(
    client: Client, run_id: str, checked_at: datetime, domain: str, findings: Iterable[Finding], day: str = ALL
) -> None:
    """Keep the findings of a run, which looked at everything, or at the rows of one day."""
    shared = {"run_id": run_id, "checked_at": checked_at, "domain": domain, "day": day}
    columns = [c.name for c in QUALITY.serving_columns]
    rows: list[list[Any]] = [[{**shared, **vars(finding)}[c] for c in columns] for finding in findings]
    if rows:
        client.insert(QUALITY.name, rows, column_names=columns)
