from __future__ import annotations

import pytest

from bench.collect_client import Sample, quarters, repeated


@pytest.mark.parametrize(
    ("samples", "rows", "expected"),
    [
        ([(0, 10), (26, 20), (49, 30), (50, 40), (90, 50)], 100, (20, 40, 50, 50)),
        ([(0, 10)], 100, (10, 10, 10, 10)),
        ([], 100, ()),
    ],
)
def test_memory_is_that_of_the_first_look_after_each_quarter(
    samples: list[Sample], rows: int, expected: tuple[int, ...]
) -> None:
    assert quarters([(there, megabytes << 20) for there, megabytes in samples], rows) == expected


def test_rows_that_came_again_are_counted_by_register() -> None:
    ids = ["g:lots:1:a", "g:lots:2:a", "g:lots:1:a", "g:acts:1:a", "g:lots:1:b", "g:lots:1:a"]
    assert repeated(ids) == {"lots": 2}
    assert repeated(ids[:2]) == {}
