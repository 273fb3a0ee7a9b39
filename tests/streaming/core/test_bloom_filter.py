"""The filter never says no of what it holds, and seldom perhaps of what it does not."""

from __future__ import annotations

import numpy as np
import pytest

from streaming.core.bloom_filter import MIN_CAPACITY, BloomFilter, Hashes, suspects


def hashes(count: int, seed: int) -> Hashes:
    whole = np.iinfo(np.int64)
    return np.random.default_rng(seed).integers(whole.min, whole.max, count, dtype=np.int64)


def test_what_was_added_is_always_perhaps() -> None:
    seen, given = BloomFilter(MIN_CAPACITY), hashes(300_000, 1)
    for part in np.array_split(given, 7):
        seen.add(part)

    assert seen.might_contain(given).all()
    assert seen.count == 300_000


def test_a_full_filter_is_wrong_of_a_new_hash_in_a_quarter_of_a_percent() -> None:
    seen = BloomFilter(MIN_CAPACITY)
    seen.add(hashes(seen.capacity, 1))

    assert not seen.has_room(1)
    # (1 - e^(-4/16))^4 is 0.00239.
    assert seen.might_contain(hashes(400_000, 2)).mean() == pytest.approx(0.00239, rel=0.1)


def test_the_least_and_greatest_hash_have_a_place() -> None:
    seen, ends = BloomFilter(MIN_CAPACITY), np.array([-(2**63), -1, 0, 2**63 - 1], dtype=np.int64)
    assert not seen.might_contain(ends).any()

    seen.add(ends)
    assert seen.might_contain(ends).all()


def test_suspects_are_those_that_come_twice_or_came_before() -> None:
    seen = BloomFilter(MIN_CAPACITY)
    seen.add(np.array([70, 80], dtype=np.int64))

    actual = suspects(np.array([10, 20, 10, 80, 30, -5], dtype=np.int64), seen)

    assert actual.tolist() == [10, 80]
