"""What a query remembers of the last minutes."""

import numpy as np
import pyarrow as pa
import pytest

from streaming.core.live import ages_of
from streaming.core.progress import Progress
from streaming.core.recent_metrics import RecentMetrics

NOW = 1_800_000_000.0


def test_batches_of_one_second_are_added_up() -> None:
    recent = RecentMetrics()
    for events, at in [(3, NOW), (4, NOW + 0.9), (5, NOW + 1), (1, NOW + 30)]:
        recent.add_events(events, at)

    assert recent.snapshot(NOW + 30)["events"] == [[NOW, 7], [NOW + 1, 5], [NOW + 30, 1]]


def test_ten_minutes_of_reading_and_one_of_ages_are_kept() -> None:
    recent = RecentMetrics()
    recent.add_events(1, NOW)
    recent.add_ages(np.array([0.5]), NOW)

    assert recent.snapshot(NOW + 59)["fresh"]["event_count"] == 1
    assert recent.snapshot(NOW + 60)["fresh"] is None
    assert recent.snapshot(NOW + 599)["events"] == [[NOW, 1]]
    assert recent.snapshot(NOW + 600)["events"] == []


def test_quantiles_are_right_to_five_percent_over_many_batches() -> None:
    ages = np.random.default_rng(7).lognormal(-1.0, 0.8, 20_000)
    recent = RecentMetrics()
    for second, batch in enumerate(np.split(ages, 40)):
        recent.add_ages(batch, NOW + second)

    fresh = recent.snapshot(NOW + 40)["fresh"]
    assert fresh["event_count"] == 20_000
    assert fresh["p50_seconds"] == pytest.approx(np.quantile(ages, 0.50), rel=0.051)
    assert fresh["p99_seconds"] == pytest.approx(np.quantile(ages, 0.99), rel=0.051)


def test_ages_beyond_the_scale_count_as_its_ends() -> None:
    recent = RecentMetrics()
    recent.add_ages(np.array([-3.0, 0.0, 1e9]), NOW)

    assert recent.snapshot(NOW)["fresh"] == {"event_count": 3, "p50_seconds": 0.01, "p99_seconds": 1_000.0}


def test_a_batch_without_events_leaves_no_age() -> None:
    recent = RecentMetrics()
    recent.add_ages(np.array([]), NOW)

    assert recent.snapshot(NOW)["fresh"] is None


def test_an_event_has_the_age_of_its_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streaming.core.live.time.time", lambda: NOW)
    micros = pa.array([int((NOW - age) * 1e6) for age in (2.5, 2.5, 0.25)]).cast(pa.timestamp("us", "UTC"))
    lines = pa.table({"line_no": [0, 1, 0], "ingested_at": micros})

    assert ages_of(lines).tolist() == pytest.approx([2.5, 0.25])
    assert ages_of(lines.slice(0, 0)).tolist() == []


def test_each_query_has_its_own_memory() -> None:
    progress = Progress()
    progress.batch("live:a", 1, 0.1, read=5)
    progress.fresh("live:a", np.array([0.2]))
    progress.batch("lake:a", 1, 0.1, read=7)

    queries = progress.recent()["queries"]
    assert {name: reported["events"][0][1] for name, reported in queries.items()} == {"live:a": 5, "lake:a": 7}
    assert queries["lake:a"]["fresh"] is None
    assert queries["live:a"]["fresh"]["event_count"] == 1
