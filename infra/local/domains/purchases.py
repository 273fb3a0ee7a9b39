"""Simulated purchases, sent to Kafka; and the questions whose answers a start shows."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

from infra.local import clickhouse_http
from infra.local.start import summary
from infra.local.start.run import COUNTED, DomainStep, Question, Run, last_json
from infra.local.start.summary import Chapter
from infra.local.steps import Say, Step

EVENTS = 20_000
FAULTS = ("--duplicates", "0.01", "--poison", "0.005")
LIVE_EVENTS, LIVE_RATE = 200, 40
SENT = "Purchases sent"
CHAPTERS = (Chapter(30, "Test messages sent to Kafka", (SENT,)),)
LIVE_QUESTION = Question(
    "What was bought in each currency so far?",
    """
SELECT currency_code AS currency, uniqExact(event_id) AS purchases, sum(line_amount) AS revenue
FROM silver.purchase_lines FINAL
GROUP BY currency ORDER BY purchases DESC
""",
)
QUESTION = Question(
    "Which sellers earned most, returns taken off, in all currencies?",
    """
SELECT seller_id, order_count AS orders, revenue_base_amount AS revenue, base_currency_code AS currency
FROM gold.top_sellers
LIMIT 5
""",
)


def demo_steps(run: Run) -> list[DomainStep]:
    """Sending begins as soon as there is a topic; the stream finds the events waiting."""

    def send_all(_: Say) -> str:
        account = send(run, EVENTS, *FAULTS)
        return f"{account['acknowledged']:,} events"

    step = Step(SENT, send_all, after=(summary.TOPICS, COUNTED))
    return [DomainStep(step, sends_events=True, is_live=True)]


def send(run: Run, count: int, *options: str) -> dict[str, Any]:
    """Send simulated purchases; returns the simulator's own account."""
    output = run.command(
        "Sending purchases",
        *("ingestion.core.run", "purchases.simulate", "--json"),
        *("--events", str(count), *options),
    )
    account = last_json(output)
    run.sent.append(account)
    return account


def watch_freshness(run: Run, say: Say) -> None:
    """Send a trickle and look, from outside, when each purchase can be read in ClickHouse.

    A purchase's age at that moment counts from the broker's time of it, so the last stretch of it is our own polling.
    """
    began = datetime.now(UTC)
    sender = threading.Thread(target=send, args=(run, LIVE_EVENTS, "--rate", str(LIVE_RATE)), daemon=True)
    sender.start()
    seen: set[str] = set()
    sql_text = (
        "SELECT event_id, toUnixTimestamp64Milli(max(ingested_at)) FROM silver.purchase_lines "
        f"WHERE ingested_at >= toDateTime64('{began:%Y-%m-%d %H:%M:%S}', 3, 'UTC') GROUP BY event_id"
    )
    deadline = time.monotonic() + LIVE_EVENTS / LIVE_RATE + 15
    while len(seen) < LIVE_EVENTS and time.monotonic() < deadline:
        rows = clickhouse_http.rows(run.settings, sql_text)
        now = time.time()
        fresh = [row for row in rows if row[0] not in seen]
        seen.update(row[0] for row in fresh)
        run.freshness += [now - int(row[1]) / 1000 for row in fresh]
        say(f"{len(seen)} purchases seen")
        time.sleep(0.02)
    sender.join(timeout=30)
