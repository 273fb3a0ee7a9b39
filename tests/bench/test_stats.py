from __future__ import annotations

import numpy as np
import pytest

from bench.stats import growing, percentiles, second_half_rate, visible_at


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentiles([float(n) for n in range(1, 101)]) == {"p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}
    assert percentiles([3.0]) == {"p50": 3.0, "p95": 3.0, "p99": 3.0, "max": 3.0}
    assert percentiles([]) == {}


def test_an_event_is_visible_with_the_first_poll_that_shows_its_offset_or_a_later_one() -> None:
    polls = [(1.0, {0: 4}), (2.0, {0: 4, 1: 9}), (3.0, {0: 7, 1: 9})]
    partitions, offsets = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 4, 5, 9, 10, 0])
    actual = visible_at(polls, partitions, offsets)
    np.testing.assert_array_equal(actual, [1.0, 1.0, 3.0, 2.0, np.nan, np.nan])


def test_nothing_polled_is_nothing_seen() -> None:
    assert np.isnan(visible_at([], np.array([0]), np.array([0]))).all()


def test_a_curve_grows_in_the_order_of_time() -> None:
    curve = growing("t", [(20.0, 5), (10.0, 1), (30.0, 4)])
    assert curve.points == ((10.0, 1), (20.0, 6), (30.0, 10))
    assert (curve.total, curve.end, curve.reached(0.5), curve.share(20.0), curve.share(5.0)) == (10, 30.0, 20.0, 0.6, 0)


def test_the_second_half_begins_when_the_slowest_table_is_half_full() -> None:
    fast = growing("fast", [(1.0, 50), (2.0, 50)])
    slow = growing("slow", [(4.0, 60), (10.0, 40)])
    assert second_half_rate([fast, slow, growing("empty", [])], 1_000) == pytest.approx(0.4 * 1_000 / 6)


def test_one_single_step_has_no_second_half() -> None:
    assert second_half_rate([growing("t", [(1.0, 10)])], 10) is None
    assert second_half_rate([], 10) is None
