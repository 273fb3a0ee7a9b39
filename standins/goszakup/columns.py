"""What every part of the world is made of: arrays, noise that follows from seed and row number, ids, times, money.

Times are whole seconds of the local clock since 1970 (the service names no zone); money is whole tiyn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Row = dict[str, Any]

DAY = 86_400
NEVER = 2**40
"""Some 35,000 years ahead: an instant that does not come."""


def instant(text: str) -> int:
    """Seconds since 1970 of a local time such as ``2026-06-01`` or ``2026-06-01T12:00:00``."""
    return int(np.datetime64(text, "s").astype(np.int64))


START = instant("2023-01-01")
OPENING = instant("2026-06-01")
"""The clock of a new world: its history runs from START until here."""


def generator(seed: int, part: str) -> np.random.Generator:
    """Random numbers of its own for each part, so that a change in one part leaves the others as they are."""
    return np.random.default_rng([seed, crc32(part.encode())])


def noise(seed: int, part: str, index: Array) -> Array:
    """64 random bits (uint64) that follow from seed, part and row number alone (splitmix64)."""
    start = (seed * 0x9E3779B97F4A7C15 + crc32(part.encode()) * 0xD1B54A32D192ED03) % 2**64
    x = np.asarray(index).astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9) + np.uint64(start)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: Array = x ^ (x >> np.uint64(31))
    return result


def picked(seed: int, part: str, index: Array, choices: int) -> Array:
    """One of `choices` numbers from 0 a row."""
    return (noise(seed, part, index) % np.uint64(choices)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids that rise with the row number and leave gaps of one to five, as a register has them."""

    seed: int
    name: str
    base: int

    def of(self, index: Array) -> Array:
        """The ids of these rows; a row number below zero has the id 0."""
        index = np.asarray(index, dtype=np.int64)
        return np.where(index < 0, 0, self.base + index * 3 + picked(self.seed, self.name, index, 3))

    def one(self, index: int) -> int:
        return int(self.of(np.array([index]))[0])

    def find(self, number: int) -> int:
        """The row number of an id; -1 if no row has it."""
        index = (number - self.base) // 3
        return index if index >= 0 and self.one(index) == number else -1

    def below(self, number: int) -> int:
        """How many rows have smaller ids."""
        index = max(0, (number - self.base) // 3)
        return index + (self.one(index) < number)


def stamps(seconds: Array, never: str | None = None) -> list[Any]:
    """``2026-06-01 12:00:00`` for each instant; `never` where it does not come."""
    seconds = np.asarray(seconds, dtype=np.int64)
    if not len(seconds):
        return []
    open_ended = seconds >= NEVER
    texts = np.datetime_as_string(np.where(open_ended, 0, seconds).astype("datetime64[s]")).astype("U19")
    texts.view("U1").reshape(-1, 19)[:, 10] = " "
    result: list[Any] = texts.tolist()
    for row in np.flatnonzero(open_ended).tolist():
        result[row] = never
    return result


def tenge(tiyn: Array) -> list[Any]:
    """Amounts as JSON numbers: whole tenge as integers, others with their tiyn."""
    return [value // 100 if value % 100 == 0 else value / 100 for value in np.asarray(tiyn).tolist()]


def twelve(numbers: Array) -> list[str]:
    """BIN and IIN: twelve digits with leading zeros."""
    return [f"{number:012d}" for number in np.asarray(numbers).tolist()]


def taken(words: Sequence[Any], index: Array) -> list[Any]:
    """The word of each row."""
    return [words[i] for i in np.asarray(index).tolist()]


def absent(values: list[Any], missing: Array) -> list[Any]:
    """The values, with None where `missing` is true."""
    return [None if gone else value for value, gone in zip(values, missing.tolist(), strict=True)]


def rows(n: int, columns: dict[str, Any]) -> list[Row]:
    """Rows from columns; a column is a list or array of `n` values, or one value for all rows."""
    parts = []
    for values in columns.values():
        if isinstance(values, np.ndarray):
            parts.append(values.tolist())
        elif isinstance(values, list):
            parts.append(values)
        else:
            parts.append(repeat(values, n))
    keys = tuple(columns)
    return [dict(zip(keys, values, strict=True)) for values in zip(*parts, strict=True)]


def spread(counts: Array) -> tuple[Array, Array]:
    """For groups of these sizes: the group of each member, and its number within the group."""
    counts = np.asarray(counts, dtype=np.int64)
    group = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    first = np.cumsum(counts) - counts
    return group, np.arange(len(group), dtype=np.int64) - first[group]


def latest(clock: int, *times: Array) -> Array:
    """The last of the instants of a row that has come by now; the first one is assumed to have."""
    result = np.array(times[0], dtype=np.int64, copy=True)
    for column in times[1:]:
        result = np.where((column <= clock) & (column > result), column, result)
    return result
