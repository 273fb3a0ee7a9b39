from __future__ import annotations

import pytest

from conf.token_bucket import TokenBucket


def test_tokens_come_at_the_rate_and_no_more_are_kept_than_fit() -> None:
    bucket = TokenBucket(2.0, 0.0)
    assert [bucket.take(0.0, 4.0, 2.0) for _ in range(3)] == [0.0, 0.0, 0.25]
    assert bucket.take(0.25, 4.0, 2.0) == 0.0
    assert [bucket.take(100.0, 4.0, 2.0) for _ in range(3)] == [0.0, 0.0, 0.25], (
        "a long rest gives two, not four hundred"
    )


def test_a_wait_that_was_slept_is_enough_whatever_is_rounded() -> None:
    bucket, now = TokenBucket(0.0, 0.0), 0.0
    for _ in range(1_000):
        now += bucket.take(now, 7.3, 1.0)
        assert bucket.take(now, 7.3, 1.0) == 0.0
    assert now == pytest.approx(1_000 / 7.3)


def test_nothing_is_taken_where_nothing_is_there() -> None:
    bucket = TokenBucket(0.0, 0.0)
    assert bucket.take(0.5, 1.0, 1.0) == 0.5
    assert bucket.take(0.75, 1.0, 1.0) == 0.25
    assert bucket.take(1.0, 1.0, 1.0) == 0.0
