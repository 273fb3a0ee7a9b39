"""Serves the state of the queries on loopback: /metrics (Prometheus), /progress (`status`) and /recent (the page)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from conf import LOOPBACK
from streaming.core.recent_metrics import RecentMetrics

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REGISTRY = CollectorRegistry()
EVENTS = Counter("sauda_stream_events", "Events by outcome since start", ["query", "outcome"], registry=REGISTRY)
RATE = Gauge("sauda_stream_rows_per_second", "Events read per second, last batch", ["query"], registry=REGISTRY)
LAG = Gauge("sauda_stream_lag_events", "Events in the topic that the query has not read", ["query"], registry=REGISTRY)
BATCH = Gauge("sauda_stream_batch_seconds", "Duration of the last batch", ["query"], registry=REGISTRY)
UP = Gauge(
    "sauda_stream_query_up", "1 while the query runs, 0 while it waits to start again", ["query"], registry=REGISTRY
)
RESTARTS = Counter("sauda_stream_restarts", "Restarts of the query after an error", ["query"], registry=REGISTRY)
NAMES = (LOOPBACK, "localhost")
"""Names under which it answers."""
OUTCOMES = ("read", "accepted", "superseded", "refused", "duplicates")


@dataclass
class QueryProgress:
    """One query. Totals count from the start of this process."""

    topic: str = ""
    state: str = "starting"
    error: str = ""
    restarts: int = 0
    batch_id: int = -1
    rows_per_second: float = 0.0
    lag_events: int | None = None
    batch_seconds: float = 0.0
    read_total: int = 0
    accepted_total: int = 0
    superseded_total: int = 0
    refused_total: int = 0
    duplicates_total: int = 0
    last_commit_at: str = ""
    next_offsets: dict[str, int] = field(default_factory=dict)
    ahead: dict[str, int] = field(default_factory=dict)
    """What the lake adds to the offsets of a partition; see `streaming.core.offset_shift`."""
    lost: list[dict[str, Any]] = field(default_factory=list)
    """Offsets that the topic no longer has although they were not read; see `streaming.core.lost_offsets.Loss`."""


@dataclass
class FillProgress:
    """Up to where ClickHouse is filled from the lake, and up to where it has to be; None where there is no end."""

    topic: str
    next_offsets: dict[str, int] = field(default_factory=dict)
    until_offsets: dict[str, int] | None = None
    error: str = ""


class Progress:
    """Thread-safe. Each query has an entry, from its first mention on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queries: dict[str, QueryProgress] = {}
        self._fills: dict[str, FillProgress] = {}
        self._recent: dict[str, RecentMetrics] = {}
        self.ready = threading.Event()
        self.started_at = datetime.now(UTC).isoformat()

    def set(self, query: str, **facts: Any) -> None:
        with self._lock:
            entry = self._queries.setdefault(query, QueryProgress())
            for name, value in facts.items():
                setattr(entry, name, value)
        if "state" in facts:
            UP.labels(query).set(1 if facts["state"] == "running" else 0)

    def restarted(self, query: str, error: str, wait: float) -> None:
        with self._lock:
            entry = self._queries.setdefault(query, QueryProgress())
            entry.restarts += 1
        RESTARTS.labels(query).inc()
        self.set(query, state=f"waiting {wait:.0f} s to start again", error=error)

    def stopped(self, query: str, sentence: str) -> None:
        """The query waits for a person: a table differs from its contract."""
        self.set(query, state="stopped: a table differs from its contract", error=sentence)

    def lost(self, query: str, losses: Sequence[Mapping[str, Any]], error: str) -> None:
        """The query waits for a person, because offsets that it had to read are gone."""
        self.set(query, state="waiting: offsets are lost", error=error, lost=[dict(loss) for loss in losses])

    def position(self, query: str) -> dict[str, int]:
        """The next offsets of the query; empty before its first report."""
        with self._lock:
            entry = self._queries.get(query)
            return dict(entry.next_offsets) if entry else {}

    def batch(self, query: str, batch_id: int, seconds: float, **outcomes: int) -> None:
        """A batch is done: `read`, `accepted`, `refused` and `duplicates` are events of this batch, `superseded` those
        of any batch that hold no longer since this one; `read` is the sum of the others."""
        with self._lock:
            entry = self._queries.setdefault(query, QueryProgress())
            for outcome in OUTCOMES:
                count = outcomes.get(outcome, 0)
                setattr(entry, f"{outcome}_total", getattr(entry, f"{outcome}_total") + count)
                EVENTS.labels(query, outcome).inc(count)
            entry.batch_id, entry.batch_seconds = batch_id, round(seconds, 3)
            entry.rows_per_second = round(outcomes.get("read", 0) / seconds, 1) if seconds else 0.0
            entry.last_commit_at = datetime.now(UTC).isoformat()
            entry.error = ""
            self._recent.setdefault(query, RecentMetrics()).add_events(outcomes.get("read", 0), time.time())
            RATE.labels(query).set(entry.rows_per_second)
        BATCH.labels(query).set(seconds)

    def fresh(self, query: str, ages: NDArray[np.float64]) -> None:
        """Events can be read in ClickHouse from now on; `ages` are the seconds since the broker took them."""
        with self._lock:
            self._recent.setdefault(query, RecentMetrics()).add_ages(ages, time.time())

    def offsets(self, query: str, position: dict[str, int], lag: int) -> None:
        self.set(query, next_offsets=position, lag_events=lag)
        LAG.labels(query).set(lag)

    def fill(self, name: str, topic: str, filled: dict[str, int], until: dict[str, int] | None) -> None:
        with self._lock:
            self._fills[name] = FillProgress(topic, filled, until)

    def fill_stopped(self, name: str, topic: str, sentence: str) -> None:
        """ClickHouse is not filled: a table differs from its contract."""
        with self._lock:
            self._fills[name] = FillProgress(topic, until_offsets=None, error=sentence)

    def snapshot(self) -> dict[str, Any]:
        with self._lock:
            queries = {name: asdict(entry) for name, entry in sorted(self._queries.items())}
            fills = {name: asdict(entry) for name, entry in sorted(self._fills.items())}
        return {"ready": self.ready.is_set(), "started_at": self.started_at, "queries": queries, "fills": fills}

    def recent(self) -> dict[str, Any]:
        """By query its metrics of the last minutes (`RecentMetrics.snapshot`), and the time they were taken at."""
        now = time.time()
        with self._lock:
            queries = {name: kept.snapshot(now) for name, kept in sorted(self._recent.items())}
        return {"now": now, "queries": queries}


def serve(progress: Progress, port: int) -> ThreadingHTTPServer:
    """Serve /metrics, /progress and /recent. Raises OSError where the port is taken."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # With DNS rebinding, a page of the web sends requests here under its own name.
            if self.headers.get("Host", "").rpartition(":")[0] not in NAMES:
                self.send_error(421, "the name in the Host header is not this machine's")
            elif self.path == "/metrics":
                self._answer(generate_latest(REGISTRY), "text/plain; version=0.0.4")
            elif self.path == "/progress":
                self._answer(json.dumps(progress.snapshot(), indent=1).encode(), "application/json")
            elif self.path == "/recent":
                self._answer(json.dumps(progress.recent()).encode(), "application/json")
            else:
                self.send_error(404, "there are /metrics, /progress and /recent")

        def _answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Requests are not logged: a scrape a second would drown the rest."""

    server = ThreadingHTTPServer((LOOPBACK, port), Handler)
    threading.Thread(target=server.serve_forever, name="progress", daemon=True).start()
    return server
