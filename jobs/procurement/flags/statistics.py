"""Quartiles and fences, as Cardinal computes them: in IEEE double precision, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


def quantile(values: Sequence[float], share: float) -> float:
    """Hyndman and Fan's type 8, which is about unbiased in the median whatever the distribution; NaN for no values.

    Spark's `percentile` is type 7 and flags others.
    """
    ordered = sorted(values)
    if not ordered:
        return math.nan
    h = (len(ordered) + 1 / 3) * share + 1 / 3
    k = int(h)
    if k <= 0 or share == 0:
        return ordered[0]
    if k >= len(ordered) or share == 1:
        return ordered[-1]
    return ordered[k - 1] + (h - k) * (ordered[k] - ordered[k - 1])


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """The first and the third quartile."""
    return quantile(values, 0.25), quantile(values, 0.75)


@dataclass(frozen=True)
class Limit:
    """A fence or the threshold that replaces it; `figures` has what was computed, under Cardinal's names.

    `decides` is false where a fence would raise the flag for most of the subjects.
    """

    fence: float
    figures: dict[str, float]
    decides: bool


def lower_limit(values: Sequence[float], threshold: float | None) -> Limit:
    """What is unusually low. Without a difference in a quarter of the values the fence decides nothing."""
    if threshold is not None:
        return Limit(threshold, {"lower_fence": threshold}, threshold > 0)
    q1, q3 = quartiles(values)
    fence = lower_fence(q1, q3)
    return Limit(fence, {"q1": q1, "q3": q3, "lower_fence": fence}, q1 > 0 and fence > 0)


def upper_limit(values: Sequence[float], threshold: float | None) -> Limit:
    """What is unusually high. Where three quarters of the values are zero, the fence decides nothing."""
    if threshold is not None:
        return Limit(threshold, {"upper_fence": threshold}, threshold > 0)
    q1, q3 = quartiles(values)
    fence = upper_fence(q1, q3)
    return Limit(fence, {"q1": q1, "q3": q3, "upper_fence": fence}, fence > 0)


def lower_fence(q1: float, q3: float) -> float:
    """Q1 - 1.5 IQR."""
    return fused(q3 - q1, -1.5, q1)


def upper_fence(q1: float, q3: float) -> float:
    """Q3 + 1.5 IQR."""
    return fused(q3 - q1, 1.5, q3)


def fused(a: float, b: float, c: float) -> float:
    """a * b + c, rounded once, as processors do it in one instruction."""
    if not all(map(math.isfinite, (a, b, c))):
        return a * b + c
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def rounded(value: float) -> float | None:
    """To four digits, halves away from zero; None for what JSON cannot say."""
    if not math.isfinite(value):
        return None
    scaled = abs(value * 10_000)
    whole = math.floor(scaled)
    return math.copysign(whole + (scaled - whole >= 0.5), value) / 10_000
