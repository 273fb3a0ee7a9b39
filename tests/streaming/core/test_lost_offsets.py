"""What a topic has lost, where lanes go on, and how offsets are counted when a topic was created again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from pyspark.sql import SparkSession

from conf import Settings
from conf.stream_progress import accepted_file, lag
from streaming.core import backfill, lost_offsets, parse
from streaming.core.backfill import Gap, GapFile, skip_backlog
from streaming.core.domain import Domain
from streaming.core.lost_offsets import OffsetCheck, OffsetsLost, TopicPosition
from streaming.core.offset_shift import OffsetShift
from streaming.core.progress import Progress
from streaming.core.queries import Lane, QueryRunner
from streaming.core.registry import domains
from tests.support.verdicts import KAFKA

TOPIC = "purchases"


@pytest.fixture
def domain() -> Domain:
    return next(d for d in domains() if d.topic == TOPIC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, stack="unit")


@pytest.mark.parametrize(
    ("position", "low", "high", "is_another", "actual"),
    [
        ({"0": 5, "1": 9}, {"0": 0, "1": 0}, {"0": 7, "1": 9}, False, []),
        ({"0": 5, "1": 9}, {"0": 5, "1": 0}, {"0": 7, "1": 9}, False, []),
        ({"0": 5, "1": 9}, {"0": 6, "1": 0}, {"0": 7, "1": 9}, False, [("0", "expired", 5, 6)]),
        ({"0": 5, "1": 9}, {"0": 0, "1": 0}, {"0": 7, "1": 8}, False, [("1", "recreated", 9, None)]),
        ({"0": 5, "1": 9}, {"0": 0, "1": 0}, {"0": 7, "1": 90}, True,
         [("0", "recreated", 5, None), ("1", "recreated", 9, None)]),
        # Nothing was read yet, so nothing of it can be missing.
        ({}, {"0": 6}, {"0": 7}, False, []),
        ({"0": 0}, {"0": 0}, {"0": 7}, True, []),
        # A partition that was added.
        ({"0": 5}, {"0": 0, "1": 0}, {"0": 7, "1": 3}, False, []),
    ],
)  # fmt: skip
def test_what_is_missing(position: Any, low: Any, high: Any, is_another: bool, actual: Any) -> None:
    lost = lost_offsets.find_losses(TOPIC, position, low, high, is_another=is_another)

    assert [(loss.partition, loss.reason, loss.begin, loss.end) for loss in lost] == actual


def test_the_sentence_names_topic_partition_and_offsets() -> None:
    (loss,) = lost_offsets.find_losses(TOPIC, {"1": 500}, {"1": 1_800}, {"1": 9_000}, is_another=False)

    assert loss.sentence == (
        "purchases, partition 1: the offsets 500 to 1,799 (1,300 events) are gone from Kafka; it begins at 1,800."
    )


class Played(TopicPosition):
    """A place whose topic and lake are played."""

    def __init__(
        self,
        settings: Settings,
        domain: Domain,
        *,
        ends: Any,
        topic_id: str = "A",
        lake: Any = None,
        shift: OffsetShift = OffsetShift(),  # noqa: B008
    ) -> None:
        self.spark, self.settings, self.domain = cast("Any", None), settings, domain
        self.path, self.shift = "nowhere", shift
        self._id_file = self.folder("lake") / "topic.json"
        self.ends, self.id, self.lake = ends, topic_id, lake or {}

    def in_lake(self) -> dict[str, int]:
        return dict(self.lake)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The topic as it is now, and what was written; `place` is looked at by all that is played."""
    now: dict[str, Any] = {"written": [], "journal": []}
    monkeypatch.setattr(lost_offsets, "topic_ends", lambda *_: now["place"].ends)
    monkeypatch.setattr(lost_offsets, "topic_id", lambda *_: now["place"].id)
    monkeypatch.setattr(lost_offsets.offset_shift, "write", lambda _spark, _path, result: now["written"].append(result))
    monkeypatch.setattr(lost_offsets, "journal", lambda _, accepted: now["journal"].append(accepted))
    return now


def checkpoint(place: TopicPosition, lane: str, **offsets: int) -> Path:
    folder = place.folder(lane) / "spark"
    for name in ("offsets", "commits"):
        (folder / name).mkdir(parents=True)
    own = {p.removeprefix("p"): offset for p, offset in offsets.items()}
    (folder / "offsets" / "3").write_text("v1\n{}\n" + json.dumps({TOPIC: own}))
    (folder / "commits" / "3").write_text("")
    return folder


def accept(settings: Settings, actual: Any) -> Path:
    file = accepted_file(settings, TOPIC)
    file.parent.mkdir(parents=True)
    entries = [vars(loss) for loss in actual]
    file.write_text(json.dumps({"accepted_at": "2026-01-31T09:30:00+00:00", "losses": entries}))
    return file


def test_the_lake_waits_and_goes_on_when_the_loss_is_accepted(
    settings: Settings, domain: Domain, played: dict[str, Any]
) -> None:
    place = played["place"] = Played(settings, domain, ends=({"0": 800, "1": 0}, {"0": 900, "1": 40}))
    place.lake = {"0": 500, "1": 40}
    folder = checkpoint(place, "lake", p0=500, p1=40)
    with pytest.raises(OffsetsLost, match="the offsets 500 to 799") as lost:
        place.require("lake")

    file = accept(settings, lost.value.losses)
    place.ends = ({"0": 810, "1": 0}, {"0": 900, "1": 40})
    place.apply_accepted()

    assert not folder.exists()
    assert not file.exists()
    assert [(e["begin"], e["end"]) for e in played["journal"][0]["losses"]] == [(500, 810)], "what is lost by now"
    assert played["written"] == [], "the topic is the same, and so are its numbers"
    assert json.loads(place.starting_offsets(OffsetCheck(*place.ends, place.in_lake(), ()))) == {
        TOPIC: {"0": 810, "1": 40}
    }


def test_another_loss_than_the_accepted_one_has_to_be_accepted_too(
    settings: Settings, domain: Domain, played: dict[str, Any]
) -> None:
    place = played["place"] = Played(settings, domain, ends=({"0": 800, "1": 50}, {"0": 900, "1": 60}))
    folder = checkpoint(place, "lake", p0=500, p1=40)
    file = accept(settings, place.check("lake").losses[:1])
    place.apply_accepted()

    assert folder.exists()
    assert not file.exists()
    assert played["journal"] == []


def test_a_topic_that_was_made_anew_is_counted_on_from_what_both_lanes_have(
    settings: Settings, domain: Domain, played: dict[str, Any]
) -> None:
    place = played["place"] = Played(settings, domain, ends=({"0": 0, "1": 0}, {"0": 40, "1": 7}))
    checkpoint(place, "lake", p0=40, p1=7)
    place.lake = {"0": 40, "1": 7}
    assert place.require("lake").losses == ()
    live = checkpoint(place, "live", p0=45, p1=7)

    place.id, place.ends = "B", ({"0": 0, "1": 0}, {"0": 300, "1": 9})
    for lane in ("lake", "live"):
        with pytest.raises(OffsetsLost, match="was created again"):
            place.require(lane)
    accept(settings, place.check("lake").losses)
    place.apply_accepted()

    assert played["written"] == [OffsetShift("B", {"0": 45, "1": 7})]
    assert not live.exists()
    again = place.require("lake")
    assert again.position == {"0": 0, "1": 0}, "from its beginning"
    assert json.loads(place.starting_offsets(again)) == {TOPIC: {"0": 0, "1": 0}}


def test_a_settlement_that_was_cut_off_is_done_again_with_the_same_numbers(
    settings: Settings, domain: Domain, played: dict[str, Any]
) -> None:
    place = played["place"] = Played(settings, domain, ends=({"0": 0}, {"0": 10}))
    place.lake = {"0": 500}
    checkpoint(place, "lake", p0=500)
    actual = place.check("lake").losses
    place._skip(place.check("lake"))
    first = played["written"][-1]

    # It died before the checkpoint was gone.
    checkpoint(place, "lake", p0=500)
    place._skip(OffsetCheck(*place.ends, {"0": 500}, actual))
    assert played["written"][-1] == first == OffsetShift("A", {"0": 500})


def test_a_journal_that_cannot_be_written_is_written_at_the_next_start(
    settings: Settings, domain: Domain, played: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = played["place"] = Played(settings, domain, ends=({"0": 800}, {"0": 900}))
    place.lake = {"0": 500}
    checkpoint(place, "lake", p0=500)
    file = accept(settings, place.check("lake").losses)

    def away(*_: Any) -> None:
        raise ConnectionError("ClickHouse is away")

    with monkeypatch.context() as patch:
        patch.setattr(lost_offsets, "journal", away)
        place.apply_accepted()
    assert file.exists()
    place.lake = {"0": 900}
    place.apply_accepted()
    assert not file.exists()
    assert [e["begin"] for e in played["journal"][0]["losses"]] == [500]


def test_the_live_lane_leaves_what_has_passed_to_the_lake(
    settings: Settings, domain: Domain, played: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = played["place"] = Played(settings, domain, ends=({"0": 800}, {"0": 900}))
    folder = checkpoint(place, "live", p0=500)
    place.require("live")
    monkeypatch.setattr(backfill, "topic_ends", lambda *_: place.ends)
    start = skip_backlog(settings, domain, folder.parent, OffsetShift("B", {"0": 1_000}))

    assert json.loads(start) == {TOPIC: {"0": 800}}
    assert not folder.exists()
    assert GapFile(folder.parent).read() == Gap({"0": 1_500}, {"0": 1_800}), "as the lake counts"


def test_numbers_go_there_and_back() -> None:
    shift = OffsetShift("B", {"0": 45})

    assert shift.shifted({"0": 3, "1": 3}) == {"0": 48, "1": 3}
    assert shift.original({"0": 48, "1": 3}) == {"0": 3, "1": 3}
    assert shift.original({"0": 40}) == {"0": 0}, "of the former topic"


def test_events_without_an_id_at_the_same_place_are_two(spark: SparkSession) -> None:
    rows = [(TOPIC, 0, 3, None, [], None, b"x"), (TOPIC, 1, 3, None, [], None, b"y")]
    kafka = spark.createDataFrame(rows, KAFKA)
    anew = OffsetShift("B", {"0": 45}).applied(kafka)
    ids = [
        {row["event_id"] for row in parse.records(frame).select("event_id").collect()}
        for frame in (OffsetShift().applied(kafka), anew)
    ]

    assert ids == [{"purchases:0:3", "purchases:1:3"}, {"purchases:0:48", "purchases:1:3"}]


def test_a_lane_that_waits_for_a_person_says_so_once_and_goes_on_by_itself(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    actual = lost_offsets.find_losses(TOPIC, {"0": 5}, {"0": 8}, {"0": 9}, is_another=False)
    seen: list[dict[str, Any]] = []

    class Waiting(QueryRunner):
        turns = 0

        def _start(self) -> Any:
            self.turns += 1
            if self.turns <= 3:
                raise OffsetsLost(actual)
            seen.append(self.progress.snapshot()["queries"]["lake:x"])
            self._stopping.set()
            raise ConnectionError

    lane = Lane("lake:x", TOPIC, Path("nowhere"), 1, 1, lambda: "", lambda *_: {}, "lake")
    runner = Waiting(cast("Any", None), Settings(), lane, Progress())
    monkeypatch.setattr("streaming.core.queries.MAX_WAIT_SECONDS", 0.0)
    runner.run()

    assert seen[0]["state"] == "waiting: offsets are lost"
    assert seen[0]["lost"][0] | {"sentence": ""} == vars(actual[0]) | {"sentence": ""}
    assert seen[0]["restarts"] == 0
    assert [record.getMessage() for record in caplog.records] == [
        f"lake:x waits: {actual[0].sentence} ./start.sh accept-loss purchases goes on without them."
    ]


def test_a_query_that_has_said_nothing_has_no_lag_that_is_known() -> None:
    ends = {TOPIC: {"0": 50, "1": 5}}

    assert lag({"topic": TOPIC, "next_offsets": {}}, ends) is None
    assert lag({"topic": TOPIC, "next_offsets": {"0": 40}}, {}) is None
    assert lag({"topic": TOPIC, "next_offsets": {"0": 40, "1": 5}}, ends) == 10
    assert lag({"topic": TOPIC, "next_offsets": {}, "until_offsets": None}, ends) == 55
    assert lag({"topic": TOPIC, "next_offsets": {"0": 9}, "until_offsets": {"0": 12}}, ends) == 3


def test_where_a_query_begins_is_its_lag_before_its_first_batch() -> None:
    lane = Lane("lake:y", TOPIC, Path("nowhere"), 1, 1, lambda: "", lambda *_: {}, "lake")
    runner = QueryRunner(cast("Any", None), Settings(), lane, Progress())
    assert runner.progress.position("lake:y") == {}
    runner._report_start(json.dumps({TOPIC: {"0": 40, "1": -2}}), {"0": 50, "1": 5})

    entry = runner.progress.snapshot()["queries"]["lake:y"]
    assert (entry["lag_events"], entry["next_offsets"]) == (15, {"0": 40, "1": 0})
