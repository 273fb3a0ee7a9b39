"""Compares what Kafka acknowledged with what the lake and ClickHouse hold. It trusts no counter of ours."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from conf import Settings
from conf.connect import clickhouse
from ingestion.core.ledger import Ledger, read_ledger
from tests.support.waiting import until


@dataclass(frozen=True)
class Held:
    """What one side holds of a run: by event id how often and with how many lines, the money, and who was refused."""

    events: dict[str, tuple[int, int]]
    amount: Decimal
    refused: dict[str, list[str]]


class Judge:
    """Reads both sides over HTTP; the lake by ClickHouse's own Delta reader, so that no code of ours is between."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def held(self, run_id: str, *, lake: bool) -> Held:
        client = clickhouse(self.settings)
        silver = self._source("silver.purchase_lines", lake=lake)
        quarantine = self._source("quarantine.purchases" if lake else "ops.quarantine", lake=lake)
        mine = "startsWith(event_id, %(run)s)"
        given = {"run": f"{run_id}-"}
        rows = client.query(
            f"SELECT event_id, countIf(line_no = 0), count() FROM {silver} WHERE {mine} GROUP BY event_id", given
        ).result_rows
        amount = client.query(f"SELECT sum(line_amount) FROM {silver} WHERE {mine}", given).result_rows[0][0]
        refused = client.query(
            f"SELECT event_id, groupArray(rule) FROM {quarantine} WHERE {mine} GROUP BY event_id", given
        ).result_rows
        client.close()
        return Held({e: (n, lines) for e, n, lines in rows}, Decimal(amount), {e: list(rules) for e, rules in refused})

    def _source(self, table: str, *, lake: bool) -> str:
        return f"deltaLake(lake, url='{self.settings.table_url(table)}')" if lake else f"{table} FINAL"

    def wait_and_judge(self, run_id: str, ledger_file: Path, seconds: float = 150) -> Ledger:
        """Wait until both sides know every acknowledged event, then compare exactly."""
        ledger = read_ledger(ledger_file)
        assert ledger.accepted, "nothing was acknowledged, so nothing would be tested"

        def all_known(lake: bool) -> bool:
            held = self.held(run_id, lake=lake)
            return ledger.accepted.keys() | ledger.poison.keys() <= held.events.keys() | held.refused.keys()

        until("ClickHouse to hold every event", lambda: all_known(lake=False), seconds)
        until("the lake to hold every event", lambda: all_known(lake=True), seconds)
        for lake in (False, True):
            self.compare(ledger, self.held(run_id, lake=lake), "lake" if lake else "ClickHouse")
        return ledger

    @staticmethod
    def compare(ledger: Ledger, held: Held, side: str) -> None:
        accepted, poison, uncertain = ledger.accepted, ledger.poison, ledger.uncertain
        lost = accepted.keys() - held.events.keys()
        assert not lost, f"{side}: {len(lost)} acknowledged events are not in silver, such as {sorted(lost)[:3]}"
        wrong = {e: held.events[e] for e in accepted if held.events[e] != (1, accepted[e].lines)}
        assert not wrong, f"{side}: events with (copies, lines) other than sent: {dict(list(wrong.items())[:3])}"
        refused = {e: held.refused.get(e) for e in poison if held.refused.get(e) != [poison[e].expected_rule]}
        wanted = {e: poison[e].expected_rule for e in list(refused)[:3]}
        assert not refused, f"{side}: refused {dict(list(refused.items())[:3])}, expected {wanted}"
        invented = (held.events.keys() - accepted.keys() - uncertain.keys()) | (
            held.refused.keys() - poison.keys() - uncertain.keys()
        )
        assert not invented, f"{side}: never sent, or in both places: {sorted(invented)[:3]}"
        perhaps = sum((uncertain[e].amount for e in held.events.keys() & uncertain.keys()), Decimal(0))
        assert held.amount == ledger.amount + perhaps, f"{side}: money differs"
