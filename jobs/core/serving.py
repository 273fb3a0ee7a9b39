"""ClickHouse's side of a run: tables made ready, versions published, the journal written."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from conf import Settings
from conf.connect import clickhouse
from jobs.core import journal
from jobs.core.errors import Failed
from jobs.core.fingerprint import Facts
from jobs.core.journal import Run
from jobs.core.lake import S3Lake
from jobs.core.push import drop_leftovers, push
from jobs.gates import quality
from jobs.gates.gates import GateResult
from schemas.contract import Contract
from schemas.derive.live_tables import ContractMismatch, apply_clickhouse, apply_served

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


class Serving:
    """Published to from several threads: each has a client of its own."""

    def __init__(self, settings: Settings, run_id: str) -> None:
        self.settings, self.run_id = settings, run_id
        self.lake = S3Lake(settings)
        self.began = datetime.now(UTC)
        self._own = threading.local()

    @property
    def client(self) -> Client:
        """This thread's client."""
        if not hasattr(self._own, "client"):
            self._own.client = clickhouse(self.settings)
        client: Client = self._own.client
        return client

    def prepare(self, tables: Iterable[Contract], *, whole: bool = False) -> None:
        """Make the tables and drop what killed runs left. Raises Failed where one differs from its contract.

        A `whole` run swaps in new tables where they may.
        """
        tables = list(tables)
        try:
            (apply_served if whole else apply_clickhouse)(self.client, [*tables, journal.JOB_RUNS, quality.QUALITY])
        except ContractMismatch as difference:
            raise Failed(f"A contract and a live table disagree.\n{difference}") from None
        drop_leftovers(self.client, sorted({table.domain for table in tables}))

    def publish(self, table: Contract, version: int, facts: Facts) -> None:
        """Show a version of a Delta table; a contract that ClickHouse does not hold has nothing to show."""
        if table.clickhouse is not None:
            push(self.client, table, self.lake.url(table.name), version, facts, self.run_id)

    def rows_before(self) -> dict[str, int]:
        """The tables' rows as they were on the day before."""
        return journal.rows_before(self.client, self.began.date())

    def record_findings(self, table: Contract, gate_result: GateResult, day: date | None = None) -> None:
        """Keep what the gates found. `day` is that of the run; None where it is whole."""
        findings = quality.table_findings(table, gate_result)
        quality.record(self.client, self.run_id, self.began, table.domain, findings, quality.looked_at(table, day))

    def record(self, run: Run) -> None:
        """Add a run to the journal."""
        journal.write(self.client, run)
