"""Numbers of batches, without Spark; what the lake lane writes is tested on the real parts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from streaming.core.lake import Counts, batch_base, find_copies


def test_a_new_checkpoint_counts_on_from_the_lakes_last_batch(tmp_path: Path) -> None:
    assert batch_base(tmp_path / "new", "one", lambda: 42) == 42


def test_a_known_checkpoint_keeps_its_base_however_far_the_lake_has_come(tmp_path: Path) -> None:
    batch_base(tmp_path, "one", lambda: 42)

    assert batch_base(tmp_path, "one", lambda: 97) == 42
    assert batch_base(tmp_path, "one", lambda: 0) == 42


def test_a_checkpoint_made_anew_in_the_same_place_gets_a_base_of_its_own(tmp_path: Path) -> None:
    """With the old one Spark's batch 0 would have a number that Delta knows, and be skipped in silence."""
    batch_base(tmp_path, "one", lambda: 42)

    assert batch_base(tmp_path, "two", lambda: 97) == 97
    assert batch_base(tmp_path, "two", lambda: 120) == 97


def test_a_base_is_never_half_written(tmp_path: Path) -> None:
    (tmp_path / "epoch.new").write_text('{"id": "on')

    assert batch_base(tmp_path, "one", lambda: 5) == 5
    assert json.loads((tmp_path / "epoch.json").read_text()) == {"id": "one", "base": 5}
    assert [f.name for f in tmp_path.iterdir()] == ["epoch.json"]


@pytest.mark.parametrize(("read", "accepted", "quarantined", "copies"), [(10, 7, 2, 1), (0, 0, 0, 0), (3, 3, 0, 0)])
def test_what_is_neither_accepted_nor_refused_is_a_copy(
    read: int, accepted: int, quarantined: int, copies: int
) -> None:
    assert Counts(read, accepted, quarantined).duplicates == copies


def test_of_copies_the_first_to_arrive_is_kept_and_of_known_ids_none() -> None:
    at = [datetime(2026, 1, 1, 12, 0, s, tzinfo=UTC) for s in (3, 1, 1, 2, 5)]
    actual = pa.table(
        {
            "place": [50, 40, 30, 20, 10],
            "event_id": [b"a", b"a", b"b\xff", b"b\xff", b"c"],
            "ingested_at": at,
            "kafka_partition": [1, 1, 0, 0, 0],
            "kafka_offset": [9, 8, 7, 6, 5],
        }
    )

    assert sorted(find_copies(actual, pa.chunked_array([[b"c", b"z"]])).tolist()) == [10, 20, 50]
    assert sorted(find_copies(actual, pa.chunked_array([[]], type=pa.binary())).tolist()) == [20, 50]
