"""Compares lake and ClickHouse: ``python -m jobs.commands.reconcile [--repair] [--json] [--table T] [--domain D]``.

Streamed tables are compared day by day (count, keys, content, sums of money), gold tables as a whole. Exit code 0:
equal, or repaired and then equal. 1: different, or a part is down. 2: no such table or domain.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from conf import Settings, settings
from conf.connect import clickhouse
from jobs.core.command_line import with_exit_code
from jobs.core.compare import Difference, GoldTable, StreamTable, Total, compared_tables
from jobs.core.damaged_table import damage_sentence
from jobs.core.errors import Failed, Refused
from jobs.core.lake import S3Lake
from jobs.core.lease import lease
from jobs.core.needed_parts import need_parts
from jobs.core.push import drop_leftovers
from jobs.core.repair import repair_days, repair_gold
from schemas.contract import find, tables
from schemas.derive.live_tables import ContractMismatch, apply_clickhouse

SHOWN_DAYS = 5
TEXTS = (0, 5, 8)


@dataclass(frozen=True)
class Finding:
    """One table: what was found at first, and what after a repair where there was one."""

    before: Difference
    after: Difference | None = None
    error: str = ""
    """Why the table cannot be compared."""

    @property
    def is_equal(self) -> bool:
        return (self.after or self.before).is_equal


@click.command()
@click.option("--repair", is_flag=True, help="Load what differs from the lake into ClickHouse again.")
@click.option("--json", "as_json", is_flag=True, help="End with a line of JSON.")
@click.option("--table", "names", multiple=True, help="Only this table, e.g. silver.purchase_lines; may be repeated.")
@click.option("--domain", default="", help="Only this domain's tables, e.g. purchases.")
@with_exit_code
def main(repair: bool, as_json: bool, names: tuple[str, ...], domain: str) -> int:
    """Compare lake and ClickHouse, day by day: counts, checksums, money."""
    findings = reconcile(settings(), names, domain, repair=repair)
    _show(findings)
    if as_json:
        print(json.dumps({"state": _state(findings), "tables": [_as_json(f) for f in findings]}))
    return 0 if all(finding.is_equal for finding in findings) else 1


def reconcile(
    settings: Settings, names: Sequence[str] = (), domain: str = "", *, repair: bool = False
) -> list[Finding]:  # fmt: skip
    """Compare, and with `repair` mend and compare again. Raises Failed where that can't be done.

    Without names and domain everything is compared, for which nothing else may write. A domain keeps only its own
    tables from being written meanwhile.
    """
    domains = checked_domains(names, domain)
    need_parts(settings)
    with lease(settings, f"job reconcile {' '.join(domains)}".rstrip(), domains):
        client, lake = clickhouse(settings), S3Lake(settings)
        try:
            every = [t for t in compared_tables(lake, client) if domain in ("", t.contract.domain)]
            chosen = [t for t in every if not names or t.contract.name in names]
            unknown = set(names) - {t.contract.name for t in every}
            if unknown:
                known = ", ".join(t.contract.name for t in every)
                raise Refused(f"No table to compare is called {', '.join(sorted(unknown))}; there are: {known}")
            try:
                served = {t.served if isinstance(t, StreamTable) else t.contract.name for t in chosen}
                apply_clickhouse(client, [find(name) for name in sorted(served)])
            except ContractMismatch as difference:
                raise Failed(f"A contract and a live table disagree.\n{difference}") from None
            drop_leftovers(client, domains)
            return [_finding(table, repair=repair) for table in chosen]
        finally:
            client.close()


def checked_domains(names: Sequence[str], domain: str) -> list[str]:
    """The domains whose tables are compared; empty for all. Raises Refused for one that there is not."""
    known = {table.name: table.domain for table in tables()}
    if domain and domain not in known.values():
        raise Refused(f"No domain is called {domain!r}; there are: {', '.join(sorted(set(known.values())))}")
    return [domain] if domain else sorted({known[name] for name in names if name in known})


def _finding(table: StreamTable | GoldTable, *, repair: bool) -> Finding:
    """A table that cannot be read keeps none of the others from being compared."""
    try:
        return _compared(table, repair=repair)
    except Exception as error:
        name = table.contract.name
        return Finding(Difference(name, 0, (None,), Total(0, 0, {})), error=damage_sentence(name, error))


def _compared(table: StreamTable | GoldTable, *, repair: bool) -> Finding:
    before = table.compare()
    if before.is_equal or not repair:
        return Finding(before)
    run_id = f"{datetime.now(UTC):%Y%m%d%H%M%S}_{secrets.token_hex(3)}"
    if isinstance(table, GoldTable):
        repair_gold(table, run_id)
    else:
        repair_days(table, [day for day in before.days if day is not None], run_id)
    return Finding(before, table.compare())


def _state(findings: Sequence[Finding]) -> str:
    if any(finding.error for finding in findings):
        return "failed"
    if not all(finding.is_equal for finding in findings):
        return "different"
    return "repaired" if any(finding.after for finding in findings) else "equal"


def _show(findings: Sequence[Finding]) -> None:
    head = ("table", "days", "differing", "lake rows", "ClickHouse rows", "money", "in the lake", "in ClickHouse", "")
    rows: list[tuple[str, ...]] = [head]
    for finding in findings:
        difference = finding.after or finding.before
        what = "cannot be read" if finding.error else "" if difference.is_equal else _days(difference)
        what = f"repaired: {_days(finding.before)}" if finding.after and difference.is_equal else what
        # One sum says enough to a person; all are compared.
        name, sums = list(difference.total.money.items())[-1] if difference.total.money else ("", ())
        rows.append(
            (
                difference.table, f"{difference.days_compared:,}", f"{len(difference.days):,}",
                f"{difference.total.lake_rows:,}", f"{difference.total.clickhouse_rows:,}",
                name, *([f"{total:,}" for total in sums] or ["", ""]), what,
            )
        )  # fmt: skip
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    for row in rows:
        cells = [
            cell.ljust(w) if n in (0, 5, 8) else cell.rjust(w)
            for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
    for finding in findings:
        if finding.error:
            print(finding.error, file=sys.stderr)
    if not all(finding.is_equal or finding.error for finding in findings):
        print("Lake and ClickHouse differ. Load what differs from the lake again: ./start.sh reconcile --repair")


def _days(difference: Difference) -> str:
    if difference.days == (None,):
        return "the whole table"
    more = f" and {len(difference.days) - SHOWN_DAYS} more" if len(difference.days) > SHOWN_DAYS else ""
    return ", ".join(str(day) for day in difference.days[:SHOWN_DAYS]) + more


def _as_json(finding: Finding) -> dict[str, Any]:
    difference = finding.after or finding.before
    return {
        "table": difference.table, "days_compared": difference.days_compared, "lake_rows": difference.total.lake_rows,
        "clickhouse_rows": difference.total.clickhouse_rows,
        "money": {name: {"lake": str(a), "clickhouse": str(b)} for name, (a, b) in difference.total.money.items()},
        "differing": [str(day) if day else "all" for day in difference.days], "is_repaired": finding.after is not None,
        "error": finding.error,
        "differed": [str(day) if day else "all" for day in finding.before.days],
    }  # fmt: skip


if __name__ == "__main__":
    main()
