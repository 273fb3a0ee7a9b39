"""Judges a domain's silver: ``python -m jobs.commands.check procurement [--collection C] [--accept] [--json]``.

Every reference to another table must resolve within its collection, and no table may shrink; what is in quarantine is
said. All that is found goes into `ops.quality`. Exit code 0: all passed, or only warned of. 1: a part is down. 2: there
is no such domain or collection. 3: something was found that stops what comes after.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

import click

from conf import Settings, settings
from conf.connect import clickhouse
from jobs.core.command_line import with_exit_code
from jobs.core.errors import STOPPED, Failed, Refused
from jobs.core.needed_parts import need_parts
from jobs.gates import quality
from jobs.gates.quality import Finding, Resolved, verdict
from schemas.contract import Contract, contracts
from schemas.contract.references import Reference, references
from schemas.derive import checks, latest_views
from schemas.derive.live_tables import ContractMismatch, apply_clickhouse

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

Counts = Mapping[tuple[str, str], int]
"""Collection and table → rows that hold today."""
SIGNS = {"passed": "✓", "warned": "!", "stopped": "✗"}


@dataclass(frozen=True)
class CheckRequest:
    """What is to be judged; `collection` is empty where all are. `accept` makes the present counts the new base."""

    domain: str
    collection: str = ""
    accept: bool = False


@click.command()
@click.argument("domain")
@click.option("--collection", default="", help="Only this one, e.g. goszakup; all where it is left out.")
@click.option("--accept", is_flag=True, help="Take the present counts for right, however small.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on stdout, and all words on stderr.")
@with_exit_code
def main(domain: str, collection: str, accept: bool, as_json: bool) -> int:
    """Judge what silver holds of a DOMAIN, such as procurement."""
    run_id = f"{datetime.now(UTC):%Y%m%d%H%M%S}_{secrets.token_hex(3)}"
    findings = check(settings(), CheckRequest(domain, collection, accept), run_id)
    _show(domain, findings, sys.stderr if as_json else sys.stdout)
    if as_json:
        summary = {"run_id": run_id, "domain": domain, "state": verdict(findings)}
        print(json.dumps({**summary, "checks": [asdict(finding) for finding in findings]}, ensure_ascii=False))
    return STOPPED if verdict(findings) == "stopped" else 0


def check(settings: Settings, request: CheckRequest, run_id: str) -> list[Finding]:
    """Judge and record. Raises Failed where that can't be done, Refused for an unknown domain or collection."""
    tables = [t for t in latest_views.versioned() if t.domain == request.domain]
    if not tables:
        known = ", ".join(sorted({t.domain for t in latest_views.versioned()}))
        raise Refused(f"No domain to check is called {request.domain!r}; there are: {known}")
    need_parts(settings, lake=False)
    from clickhouse_connect.driver.exceptions import DatabaseError

    client = clickhouse(settings, send_receive_timeout=1800)
    try:
        apply_clickhouse(client, [*tables, quality.QUALITY])
        checked_at = datetime.now(UTC)
        before = quality.counts_before(client, request.domain)
        now = counted(client, tables, request.collection)
        collections = {collection for collection, _ in [*before, *now]}
        if request.collection and request.collection not in collections:
            every = sorted(collections | {c for c, _ in counted(client, tables)})
            raise Refused(
                f"No collection is called {request.collection!r}; there are: {', '.join(every) or 'none yet'}"
            )
        findings = list(count_findings(settings, request, before, now))
        findings += [
            finding
            for resolved in resolved_references(client, tables, now, request.collection)
            if (finding := quality.reference_finding(resolved, settings.check_unresolved_pct))
        ]
        findings += quarantine_findings(client, request, tables, collections)
        quality.record(client, run_id, checked_at, request.domain, findings)
        return findings
    except ContractMismatch as difference:
        raise Failed(f"A contract and a live table disagree.\n{difference}") from None
    except DatabaseError as error:
        raise Failed(f"ClickHouse did not answer a question of the check: {str(error).splitlines()[0]}") from None
    finally:
        client.close()


def counted(client: Client, tables: Sequence[Contract], collection: str = "") -> dict[tuple[str, str], int]:
    """The rows that hold today, by collection and table; a table without any is left out."""
    counts: dict[tuple[str, str], int] = {}
    for table in tables:
        for code, name, rows in client.query(checks.counted(table, collection)).result_rows:
            counts[str(code), str(name)] = int(rows)
    return counts


def count_findings(settings: Settings, request: CheckRequest, before: Counts, now: Counts) -> Iterator[Finding]:
    """The counts of what has rows or had them."""
    for code, name in sorted({*before, *now}):
        if request.collection in ("", code):
            had = before.get((code, name))
            yield quality.count_finding(
                code, name, now.get((code, name), 0), had, settings.check_shrink_pct, accept=request.accept
            )  # fmt: skip


def resolved_references(client: Client, tables: Sequence[Contract], now: Counts, collection: str) -> Iterator[Resolved]:
    """What is counted of each reference in each collection whose table has rows."""
    for table in tables:
        declared = references(table)
        together = [reference for reference in declared if not reference.is_list]
        alone = [[reference] for reference in declared if reference.is_list]
        for group in [together, *alone] if together else alone:
            yield from _counted(client, group, now, collection)


def quarantine_findings(
    client: Client, request: CheckRequest, tables: Sequence[Contract], collections: Collection[str]
) -> Iterator[Finding]:  # fmt: skip
    """What is in quarantine of each collection."""
    topics = sorted({c.topic for c in contracts() if c.topic and c.domain == request.domain})
    if not topics:
        return
    question = checks.refused(topics, by_collection=any(checks.COLLECTION in table.columns for table in tables))
    by_collection: dict[str, list[quality.Refused]] = {}
    for code, *refused in client.query(question).result_rows:
        by_collection.setdefault(str(code), []).append(quality.Refused(*refused))
    for code in sorted({*by_collection, *collections}):
        if request.collection in ("", code):
            yield quality.quarantine_finding(code, by_collection.get(code, []))


def _counted(client: Client, group: Sequence[Reference], now: Counts, collection: str) -> Iterator[Resolved]:
    for code, *values in client.query(checks.unresolved(group, collection)).result_rows:
        for place, reference in enumerate(group):
            named, broken, example = values[3 * place : 3 * place + 3]
            there = now.get((str(code), reference.target_name), 0)
            yield Resolved(reference, str(code), int(named), int(broken), there, str(example))


def _show(domain: str, findings: Sequence[Finding], out: TextIO) -> None:
    if not findings:
        print(f"There is no row of {domain} yet, so there is nothing to check.", file=out)
    for code in sorted({finding.collection_code for finding in findings}):
        own = [finding for finding in findings if finding.collection_code == code]
        counts = {outcome: sum(finding.outcome == outcome for finding in own) for outcome in SIGNS}
        name = f"{domain}, collection {code}" if code else domain
        print(f"{name}: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items()), file=out)
        for finding in own:
            if finding.outcome != "passed":
                print(f"  {SIGNS[finding.outcome]} {finding}", file=out)
    if any(f.outcome == "stopped" and f.check_name == quality.ROWS_KEPT for f in findings):
        print(f"Where a smaller count is right, make it the new base: ./start.sh check {domain} --accept", file=out)


if __name__ == "__main__":
    main()
