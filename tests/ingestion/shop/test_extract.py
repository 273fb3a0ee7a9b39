"""Customers on their way to the stage: what is staged, what is known, and what a kill leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from conf.postgres_values import Unreadable
from ingestion.core.errors import IngestError
from ingestion.shop.customers import stage_all, stage_changes
from ingestion.shop.extract import ExtractRun, ExtractStats, compared, overlaid
from ingestion.shop.stage import StageState, content_hash, read_state
from schemas.contract import Contract
from tests.ingestion.shop.folder import FolderBucket, Killed

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NONE = timedelta(0)


def customer(customer_id: str, minute: int = 0, **more: Any) -> dict[str, Any]:
    at = NOON + minute * MINUTE
    return {
        "customer_id": customer_id, "name": "N", "email": None, "phone": None, "address": None, "city_name": "Almaty",
        "created_at": NOON, "updated_at": at,
    } | more  # fmt: skip


@dataclass
class Shown:
    """A snapshot of a table that is a list."""

    table: list[dict[str, Any]]
    taken_at: datetime
    complete_until: datetime
    requests: list[datetime | None] = field(default_factory=list)

    def rows(self, _contract: Contract, since: datetime | None) -> Iterator[dict[str, Any]]:
        self.requests.append(since)
        kept = (row for row in self.table if since is None or row["updated_at"] >= since)
        return iter(sorted(kept, key=lambda row: row["customer_id"]))


def shown(minute: int, *rows: dict[str, Any], complete: int | None = None) -> Shown:
    return Shown(list(rows), NOON + minute * MINUTE, NOON + (minute if complete is None else complete) * MINUTE)


@dataclass
class Place:
    """A bucket, a folder for files, and what is known."""

    bucket: FolderBucket
    folder: Path

    def full(self, seen: Shown) -> ExtractStats:
        return stage_all(self.bucket, seen, read_state(self.bucket, "customers"), self.folder)[1]  # type: ignore[arg-type]

    def changes(self, seen: Shown, overlap: timedelta = NONE) -> ExtractStats:
        return stage_changes(self.bucket, seen, read_state(self.bucket, "customers"), overlap, self.folder)[1]  # type: ignore[arg-type]

    def staged(self) -> list[tuple[Any, ...]]:
        rows = self.bucket.staged("customers")
        return [(r["run_no"], r["customer_id"], r["city_name"], r["is_deleted"]) for r in rows]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "scratch").mkdir()
    return Place(FolderBucket(tmp_path / "bucket"), tmp_path / "scratch")


def test_the_first_run_stages_everybody_and_the_next_what_changed(place: Place) -> None:
    place.full(shown(1, customer("c1"), customer("c2")))
    second = shown(10, customer("c1"), customer("c2", minute=5, city_name="Astana"), customer("c3", minute=6))
    place.changes(second)

    assert place.staged() == [
        (1, "c1", "Almaty", False), (1, "c2", "Almaty", False),
        (2, "c2", "Astana", False), (2, "c3", "Almaty", False),
    ]  # fmt: skip
    assert second.requests == [NOON + MINUTE]


def test_a_transaction_that_commits_late_is_seen_by_the_next_run(place: Place) -> None:
    """It wrote at minute 3, was open at the look of minute 5, and committed at minute 7."""
    place.full(shown(1, customer("c1")))
    place.changes(shown(5, customer("c1"), complete=3))
    place.changes(shown(10, customer("c1"), customer("late", minute=3)))

    assert (3 - 1, "late", "Almaty", False) in place.staged()


def test_a_run_looks_before_its_mark_as_far_as_it_is_told(place: Place) -> None:
    place.full(shown(1, customer("c1")))
    second = shown(10, customer("c1"))
    place.changes(second, overlap=5 * MINUTE)

    assert second.requests == [NOON - 4 * MINUTE]


def test_nothing_new_is_no_run_and_the_mark_moves_on(place: Place) -> None:
    place.full(shown(1, customer("c1")))
    place.changes(shown(10, customer("c1")))
    state = read_state(place.bucket, "customers")

    assert (state.run_no, state.watermark) == (1, "2026-03-01T12:10:00+00:00")


def test_when_the_servers_clock_is_set_back_the_mark_goes_with_it(place: Place) -> None:
    """Else changes of the next minutes, written with times before the mark, would never be asked for."""
    place.full(shown(5, customer("c1")))
    place.changes(shown(2, customer("c1")))

    assert read_state(place.bucket, "customers").watermark == "2026-03-01T12:02:00+00:00"


def test_a_full_check_finds_who_is_gone_and_what_changed_unseen(place: Place) -> None:
    place.full(shown(1, customer("c1"), customer("c2"), customer("c3")))
    place.changes(shown(5, customer("c2", minute=3, city_name="Astana"), customer("c4", minute=3)))
    # c1 was deleted; c3 was changed by hand, with its time left as it was; c2 and c4 are as the last run saw them.
    stats = place.full(shown(
        9, customer("c2", minute=3, city_name="Astana"), customer("c3", city_name="Taraz"), customer("c4", minute=3)
    ))  # fmt: skip

    assert place.staged()[-2:] == [(3, "c1", None, True), (3, "c3", "Taraz", False)]
    assert (stats.changed, stats.gone, stats.unchanged) == (1, 1, 2)
    deleted = next(row for row in place.bucket.staged("customers") if row["is_deleted"])
    assert deleted["changed_at"] == NOON + 9 * MINUTE
    assert deleted["created_at"] is None


def test_who_is_gone_is_told_once_and_may_come_back(place: Place) -> None:
    place.full(shown(1, customer("c1"), customer("c2")))
    assert place.full(shown(2, customer("c1"))).gone == 1
    assert place.full(shown(3, customer("c1"))).gone == 0
    assert place.full(shown(4, customer("c1"), customer("c2"))).changed == 1
    assert place.staged()[-2:] == [(2, "c2", None, True), (4, "c2", "Almaty", False)]


def test_an_empty_table_is_not_believed_until_it_is_meant(place: Place) -> None:
    place.full(shown(1, customer("c1"), customer("c2")))
    with pytest.raises(
        IngestError, match=r"shop\.customers has no row, where 2 customers were known; nothing was staged"
    ):
        place.full(shown(2))
    assert [is_deleted for *_, is_deleted in place.staged()] == [False, False]

    state = read_state(place.bucket, "customers")
    stage_all(place.bucket, shown(3), state, place.folder, accept=True)  # type: ignore[arg-type]
    assert [is_deleted for *_, is_deleted in place.staged()] == [False, False, True, True]


def test_too_large_a_loss_is_not_believed_until_it_is_meant(place: Place) -> None:
    """As in a database that was restored in part, or another one that has some of the same customers."""
    everybody = [customer(f"c{n:03}") for n in range(400)]
    place.full(shown(1, *everybody))
    before = read_state(place.bucket, "customers")

    def check(left: int, *, accept: bool = False) -> ExtractStats:
        rows = [*everybody[:left], *(customer(f"new{n:03}") for n in range(1_000))]
        seen = shown(2, *rows)
        state = read_state(place.bucket, "customers")
        return stage_all(place.bucket, seen, state, place.folder, gone_pct=10, accept=accept)[1]  # type: ignore[arg-type]

    with pytest.raises(IngestError, match="41 of 400 known customers are gone") as output:
        check(359)
    assert "over 10 %; nothing was staged" in str(output.value)
    assert str(output.value).endswith("--full-check --accept")
    assert read_state(place.bucket, "customers") == before
    assert check(360).gone == 40
    assert check(10, accept=True).gone == 350


def test_of_a_small_shop_some_may_go(place: Place) -> None:
    place.full(shown(1, *(customer(f"c{n:02}") for n in range(25))))
    state = read_state(place.bucket, "customers")
    left = shown(2, *(customer(f"c{n:02}") for n in range(5)))

    assert stage_all(place.bucket, left, state, place.folder, gone_pct=0)[1].gone == 20  # type: ignore[arg-type]


def test_only_the_last_check_is_remembered(place: Place) -> None:
    place.full(shown(1, customer("c1")))
    place.full(shown(2, customer("c1")))

    assert place.bucket.names("stage/customers/known/") == ["stage/customers/known/run=00000002.parquet"]


@pytest.mark.parametrize("is_full", [False, True])
def test_killed_between_any_two_steps_nothing_is_lost_or_doubled(tmp_path: Path, *, is_full: bool) -> None:
    """The second run is killed after each of its steps, then done again, by which time c3 has changed once more."""
    finished = 0
    for steps in range(20):
        folder = tmp_path / str(steps)
        (folder / "scratch").mkdir(parents=True)
        place = Place(FolderBucket(folder / "bucket"), folder / "scratch")
        place.full(shown(1, customer("c1"), customer("c2")))
        place.bucket.left = steps
        step = place.full if is_full else place.changes
        try:
            step(shown(5, customer("c1"), customer("c2", minute=3, city_name="Astana"), customer("c3", minute=3)))
        except Killed:
            pass
        else:
            finished += 1
        place.bucket.left = 10**9
        step(shown(9, customer("c1"), customer("c2", minute=3, city_name="Astana"),
                   customer("c3", minute=7, city_name="Oral")))  # fmt: skip
        rows = [(c, city) for _, c, city, _ in place.staged()]
        assert rows.count(("c2", "Astana")) == 1
        assert rows.count(("c3", "Oral")) == 1
        assert len(rows) == len(set(rows))
        assert len({(r["customer_id"], r["taken_at"]) for r in place.bucket.staged("customers")}) == len(rows)
    assert 0 < finished < 20


def test_snapshots_have_an_order_when_the_clock_is_set_back(place: Place) -> None:
    place.full(shown(5, customer("c1")))
    place.full(shown(2, customer("c1", city_name="Oral")))
    taken = [row["taken_at"] for row in place.bucket.staged("customers")]

    assert taken == [NOON + 5 * MINUTE, NOON + 5 * MINUTE + timedelta(microseconds=1)]


def test_two_lists_are_compared_side_by_side() -> None:
    run, stats, known = ExtractRun(7, NOON), ExtractStats(), []
    same = run.present(customer("b"))["content_hash"]
    rows = [customer("b"), customer("c"), customer("e")]
    before = [("a", "x"), ("b", same), ("d", "x"), ("e", "x"), ("f", "x")]
    actual = [(r["customer_id"], r["is_deleted"]) for r in compared(rows, before, run, stats, known.append)]

    assert actual == [("a", True), ("c", False), ("d", True), ("e", False), ("f", True)]
    assert [customer_id for customer_id, _ in known] == ["b", "c", "e"]
    assert stats == ExtractStats(changed=2, gone=3, unchanged=1, known=5)


def test_later_findings_stand_in_the_place_of_the_last_check() -> None:
    assert list(overlaid([("a", "1"), ("c", "1"), ("d", "1")], {"d": "", "b": "2", "c": "2"})) == [
        ("a", "1"), ("b", "2"), ("c", "2"),
    ]  # fmt: skip


def test_a_hash_tells_a_text_from_nothing_and_a_place_from_another() -> None:
    assert content_hash(["a", None]) != content_hash([None, "a"])
    assert content_hash([""]) != content_hash([None])
    assert content_hash(["a", NOON]) == content_hash(["a", NOON])


def test_before_the_first_run_nothing_is_known(place: Place) -> None:
    assert read_state(place.bucket, "customers") == StageState()


FAR = datetime(1500, 1, 1, tzinfo=UTC)
BAD = [("b1", {"created_at": Unreadable("-infinity")}), ("b2", {"created_at": FAR}), ("b3", {"name": Unreadable("")})]


@pytest.mark.parametrize("is_full", [True, False])
def test_rows_that_cannot_be_read_are_set_aside_and_the_others_go_on(place: Place, is_full: bool) -> None:
    place.full(shown(1, customer("a")))
    rows = [customer("a", 2, city_name="Oral"), *(customer(key, 2, **more) for key, more in BAD), customer("c", 2)]
    stats = place.full(shown(3, *rows)) if is_full else place.changes(shown(3, *rows))

    assert [row[1:3] for row in place.staged() if row[0] == 2] == [("a", "Oral"), ("c", "Almaty")]
    assert [bad.sentence for bad in stats.set_aside] == [
        "created_at cannot be read: -infinity",
        "created_at is outside of the years 1900 to 2299: 1500-01-01T00:00:00+00:00",
        "name is no UTF-8",
    ]
    report = place.bucket.read("stage/rejected/customers/run=00000002.jsonl") or b""
    assert [orjson.loads(line)["customer_id"] for line in report.splitlines()] == ["b1", "b2", "b3"]


def test_a_customer_whose_row_cannot_be_read_any_more_is_not_gone(place: Place) -> None:
    place.full(shown(1, customer("a"), customer("b")))
    stats = place.full(shown(2, customer("a"), customer("b", updated_at=Unreadable("infinity"))))
    assert (stats.gone, len(stats.set_aside)) == (0, 1)

    healed = place.full(shown(3, customer("a"), customer("b")))
    assert (healed.gone, healed.changed, healed.unchanged, healed.set_aside) == (0, 0, 2, [])
    assert [row for row in place.staged() if row[0] > 1] == []


def test_a_row_without_a_readable_key_is_told_of_too(place: Place) -> None:
    stats = place.full(shown(1, customer("a")))
    assert stats.set_aside == []
    nameless = Shown([customer("a")], NOON + 2 * MINUTE, NOON + 2 * MINUTE)
    nameless.rows = lambda *_: iter([customer(Unreadable("")), customer("a")])  # type: ignore[method-assign,arg-type]

    assert [bad.sentence for bad in place.full(nameless).set_aside] == ["customer_id is no UTF-8"]
