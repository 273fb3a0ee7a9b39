"""What the streams say of themselves, read as Prometheus and `status` read it: over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from conf import LOOPBACK
from streaming.core.progress import Progress, serve


@dataclass
class Served:
    """Progress behind a real socket."""

    progress: Progress
    port: int

    def get(self, path: str) -> tuple[str, str]:
        """Content type and body."""
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self.port}{path}", timeout=5) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    def query(self, name: str) -> dict[str, Any]:
        return dict(json.loads(self.get("/progress")[1])["queries"][name])

    def metrics(self, query: str) -> dict[str, float]:
        """The samples of one query, by name and outcome."""
        families = text_string_to_metric_families(self.get("/metrics")[1])
        samples = [s for family in families for s in family.samples if s.labels.get("query") == query]
        return {s.name + (f"/{s.labels['outcome']}" if "outcome" in s.labels else ""): s.value for s in samples}


@pytest.fixture
def served() -> Iterator[Served]:
    progress = Progress()
    server = serve(progress, 0)
    yield Served(progress, server.server_address[1])
    server.shutdown()
    server.server_close()


def test_batches_add_up_to_totals_and_the_last_one_gives_the_rate(served: Served) -> None:
    before = datetime.now(UTC)
    served.progress.batch("lake:added", 4, 2.0, read=1_000, accepted=900, refused=70, duplicates=30)
    served.progress.batch("lake:added", 5, 0.5, read=10, accepted=10)

    actual = served.query("lake:added")
    totals = {name: actual[f"{name}_total"] for name in ("read", "accepted", "refused", "duplicates")}
    assert totals == {"read": 1_010, "accepted": 910, "refused": 70, "duplicates": 30}
    assert (actual["batch_id"], actual["batch_seconds"], actual["rows_per_second"]) == (5, 0.5, 20.0)
    assert before <= datetime.fromisoformat(actual["last_commit_at"]) <= before + timedelta(minutes=1)


def test_prometheus_reads_the_same_figures(served: Served) -> None:
    served.progress.set("lake:scraped", state="running")
    served.progress.batch("lake:scraped", 0, 4.0, read=100, accepted=88, superseded=2, refused=7, duplicates=3)
    served.progress.offsets("lake:scraped", {"0": 60, "1": 40}, lag=17)

    kind, _ = served.get("/metrics")
    actual = {n: v for n, v in served.metrics("lake:scraped").items() if "_created" not in n}

    assert kind.startswith("text/plain")
    assert actual == {
        "sauda_stream_events_total/read": 100.0,
        "sauda_stream_events_total/accepted": 88.0,
        "sauda_stream_events_total/superseded": 2.0,
        "sauda_stream_events_total/refused": 7.0,
        "sauda_stream_events_total/duplicates": 3.0,
        "sauda_stream_rows_per_second": 25.0,
        "sauda_stream_lag_events": 17.0,
        "sauda_stream_batch_seconds": 4.0,
        "sauda_stream_query_up": 1.0,
    }
    assert served.query("lake:scraped")["next_offsets"] == {"0": 60, "1": 40}
    assert served.query("lake:scraped")["lag_events"] == 17


def test_an_error_shows_until_a_batch_is_done(served: Served) -> None:
    served.progress.set("lake:hurt", state="running")
    served.progress.restarted("lake:hurt", "Kafka is away", 2.0)

    waiting = served.query("lake:hurt")
    assert (waiting["state"], waiting["error"], waiting["restarts"]) == (
        "waiting 2 s to start again", "Kafka is away", 1,
    )  # fmt: skip
    assert served.metrics("lake:hurt")["sauda_stream_query_up"] == 0.0
    assert served.metrics("lake:hurt")["sauda_stream_restarts_total"] == 1.0

    served.progress.set("lake:hurt", state="running")
    served.progress.batch("lake:hurt", 0, 1.0, read=1, accepted=1)

    healed = served.query("lake:hurt")
    assert (healed["state"], healed["error"], healed["restarts"]) == ("running", "", 1)
    assert served.metrics("lake:hurt")["sauda_stream_query_up"] == 1.0


def test_a_batch_of_no_time_has_no_rate(served: Served) -> None:
    served.progress.batch("lake:instant", 0, 0.0, read=5, accepted=5)

    assert served.query("lake:instant")["rows_per_second"] == 0.0
    assert served.query("lake:instant")["read_total"] == 5


def test_nothing_is_lost_when_lanes_report_at_once(served: Served) -> None:
    """Four threads count into two queries while a fifth reads."""
    lanes = ("live:raced", "lake:raced")

    def count(lane: str) -> None:
        for number in range(500):
            served.progress.batch(lane, number, 0.1, read=3, accepted=2, refused=1)

    with ThreadPoolExecutor(5) as pool:
        work = [pool.submit(count, lane) for lane in lanes * 2]
        seen = []
        while not all(w.done() for w in work):
            queries = served.progress.snapshot()["queries"]
            seen += [q["read_total"] - q["accepted_total"] - q["refused_total"] for q in queries.values()]
        for w in work:
            w.result()

    assert set(seen) <= {0}, "a reader saw half a batch"
    for lane in lanes:
        assert [served.query(lane)[f"{n}_total"] for n in ("read", "accepted", "refused")] == [3_000, 2_000, 1_000]
        assert served.metrics(lane)["sauda_stream_events_total/read"] == 3_000.0


def test_ready_is_said_once_it_is_so(served: Served) -> None:
    assert json.loads(served.get("/progress")[1])["ready"] is False
    served.progress.ready.set()
    assert json.loads(served.get("/progress")[1])["ready"] is True


def test_another_address_says_which_there_are(served: Served) -> None:
    with pytest.raises(urllib.error.HTTPError, match=r"there are /metrics, /progress and /recent") as caught:
        served.get("/")

    assert caught.value.code == 404
    caught.value.close()


def test_a_port_that_is_taken_is_an_error_at_once(served: Served) -> None:
    with pytest.raises(OSError, match="in use"):
        serve(Progress(), served.port)


def test_a_fill_stands_beside_the_queries(served: Served) -> None:
    served.progress.fill("fill:told", "told-events", {"0": 3}, None)

    document = json.loads(served.get("/progress")[1])
    assert document["fills"] == {
        "fill:told": {"topic": "told-events", "next_offsets": {"0": 3}, "until_offsets": None, "error": ""}
    }  # fmt: skip
    assert "fill:told" not in document["queries"]
