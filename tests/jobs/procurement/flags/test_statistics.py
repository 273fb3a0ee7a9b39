"""Quartiles by hand: Hyndman and Fan's type 8."""

from __future__ import annotations

import math

import pytest

from jobs.procurement.flags.statistics import fused, lower_fence, quantile, quartiles, rounded, upper_fence


@pytest.mark.parametrize(
    ("values", "q1", "q3"),
    [
        # n = 5: h = 16/3 * 1/4 + 1/3 = 5/3, so x1 + 2/3 (x2 - x1); h = 13/3, so x4 + 1/3 (x5 - x4).
        ([10, 20, 30, 40, 50], 16.666666666666668, 43.33333333333333),
        ([50, 10, 40, 20, 30], 16.666666666666668, 43.33333333333333),
        ([0, 100], 0.0, 100.0),
        ([7], 7.0, 7.0),
        # n = 8: h = 25/3 * 1/4 + 1/3 = 29/12, so x2 + 5/12 (x3 - x2).
        ([1, 2, 3, 4, 5, 6, 7, 8], 2.416666666666667, 6.583333333333334),
    ],
)
def test_quartiles_are_of_type_8(values: list[float], q1: float, q3: float) -> None:
    assert quartiles(values) == pytest.approx((q1, q3), rel=1e-15)


def test_of_nothing_there_is_no_quartile() -> None:
    assert all(map(math.isnan, quartiles([])))
    assert quantile([1.0, 2.0, 3.0], 0.0) == 1.0
    assert quantile([1.0, 2.0, 3.0], 1.0) == 3.0


def test_fences_are_rounded_once() -> None:
    assert (lower_fence(50.0, 70.0), upper_fence(50.0, 70.0)) == (20.0, 100.0)
    # 0.1 * 3 rounds up before 0.3 is taken off; in one step the difference of the two remains.
    assert 0.1 * 3 - 0.3 == 5.551115123125783e-17
    assert fused(0.1, 3.0, -0.3) == 2.7755575615628914e-17


@pytest.mark.parametrize(
    ("value", "expected"),
    [(66.66666, 66.6667), (0.00005, 0.0001), (-0.00005, -0.0001), (1.0, 1.0), (math.nan, None), (math.inf, None)],
)
def test_limits_are_shown_with_four_digits(value: float, expected: float | None) -> None:
    assert rounded(value) == expected
