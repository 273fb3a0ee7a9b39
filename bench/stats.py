"""The arithmetic of the measurements: no clock, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Seen = tuple[float, Mapping[int, int]]
"""End of a poll, and the greatest offset it showed in each partition."""


def percentiles(
    values: Sequence[float] | npt.NDArray[np.float64], of: Sequence[int] = (50, 95, 99)
) -> dict[str, float]:
    """``{"p50": …, "max": …}``: of the values themselves (nearest rank), never between two. Empty for none."""
    if len(values) == 0:
        return {}
    ranked = np.percentile(np.asarray(values), [*of, 100], method="inverted_cdf")
    return dict(zip([*(f"p{p}" for p in of), "max"], map(float, ranked), strict=True))


def visible_at(
    polls: Sequence[Seen], partitions: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """For each event the end of the first poll that showed its offset, or a later one; NaN where none did."""
    visible = np.full(len(offsets), np.nan)
    ends = np.array([end for end, _ in polls])
    for partition in np.unique(partitions):
        reached = np.maximum.accumulate([greatest.get(int(partition), -1) for _, greatest in polls])
        mine = partitions == partition
        first = np.searchsorted(reached, offsets[mine], side="left")
        inside = first < len(ends)
        times = np.full(len(first), np.nan)
        times[inside] = ends[first[inside]]
        visible[mine] = times
    return visible


@dataclass(frozen=True)
class Curve:
    """How a table filled: at each time the rows it held, growing."""

    name: str
    points: tuple[tuple[float, int], ...]

    @property
    def end(self) -> float:
        return self.points[-1][0]

    @property
    def total(self) -> int:
        return self.points[-1][1] if self.points else 0

    def share(self, at: float) -> float:
        """The part of its final rows that it held."""
        rows = max((count for when, count in self.points if when <= at), default=0)
        return rows / self.total

    def reached(self, share: float) -> float:
        """When it first held this share of its rows."""
        return next(when for when, count in self.points if count >= share * self.total)


def growing(name: str, additions: Sequence[tuple[float, int]]) -> Curve:
    """A curve from what was added when, in any order."""
    points, rows = [], 0
    for when, count in sorted(additions):
        rows += count
        points.append((when, rows))
    return Curve(name, tuple(points))


def second_half_rate(curves: Sequence[Curve], records: int) -> float | None:
    """Records a second after every table held half of its rows, until the last held all; None for one single step."""
    filled = [curve for curve in curves if curve.total]
    if not filled:
        return None
    half, end = max(curve.reached(0.5) for curve in filled), max(curve.end for curve in filled)
    rest = 1 - min(curve.share(half) for curve in filled)
    return rest * records / (end - half) if end > half else None
