"""Rows that tell no time: one that changes and changes back is a version of its own, one that is read again is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ingestion.collecting.state import State
from ingestion.procurement.goszakup.service import goszakup_state_path
from ingestion.procurement.goszakup.versions import Versions, following
from schemas.procurement.endpoints import by_name
from tests.ingestion.procurement.goszakup.fakes import FakeGoszakup, FakeKafka, Killed, chosen
from tests.ingestion.procurement.goszakup.runs import collect
from tests.ingestion.procurement.goszakup.test_daily import began, journal

PLANNERS = "/v3/plans"


def planner(count: int) -> list[dict[str, Any]]:
    return [{"pid": 7, "bin": "001040004321", "doc_count": count}, {"pid": 5, "bin": "110540001234", "doc_count": 1}]


def of_seven(kafka: FakeKafka) -> list[tuple[int, str]]:
    """What was sent of the planner 7: its count and the event's id."""
    sent = [kept for kept in kafka.kept if kept.key.endswith(b":7")]
    return [(json.loads(kept.value)["doc_count"], kept.heads["ce_id"]) for kept in sent]


def test_a_row_that_changes_back_is_a_third_version(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    for count in (1, 2, 1, 2, 2):
        service.put(PLANNERS, planner(count), "pid")
        collect(service, tmp_path, kafka, "plans")

    counts, ids = zip(*of_seven(kafka), strict=True)
    assert counts == (1, 2, 1, 2, 2)
    assert len(set(ids[:4])) == 4, "each change is an event of its own"
    assert ids[3] == ids[4], "read again unchanged, it is the same event"


def test_rows_that_stay_as_they_are_keep_their_ids(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    for count in (1, 2, 3):
        service.put(PLANNERS, planner(count), "pid")
        collect(service, tmp_path, kafka, "plans")

    assert len({kept.heads["ce_id"] for kept in kafka.kept if kept.key.endswith(b":5")}) == 1


def test_a_run_that_is_killed_doubles_no_version(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    for count in (1, 2):
        service.put(PLANNERS, planner(count), "pid")
        collect(service, tmp_path, kafka, "plans")
    service.put(PLANNERS, planner(1), "pid")
    dying = FakeKafka(dies_after=1)
    try:
        collect(service, tmp_path, dying, "plans")
    except Killed:
        pass
    else:
        raise AssertionError("it was to be killed")
    collect(service, tmp_path, kafka, "plans")
    collect(service, tmp_path, kafka, "plans")

    ids = [event_id for _, event_id in of_seven(kafka)]
    assert len(set(ids)) == 3
    assert ids[2] == ids[3]
    assert of_seven(dying) in ([], [(1, ids[2])])


def test_an_act_without_a_time_changes_back_by_the_journal(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    """The register's own sample of acts has no index_date."""
    began(tmp_path, service)
    for status in (14, 15, 14, 15):
        act = {"id": 9, "contract_id": 1, "status_id": status, "index_date": None}
        service.objects["/v3/acts/9"] = json.dumps(act).encode()
        journal(service, ("U", "acts", "9", "/v3/acts/9"))
        collect(service, tmp_path, kafka, "journal")

    assert [json.loads(kept.value)["status_id"] for kept in kafka.of("acts")] == [14, 15, 14, 15]
    assert len({kept.heads["ce_id"] for kept in kafka.of("acts")}) == 4


def test_what_was_deleted_and_comes_back_as_it_was_is_a_new_version(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    began(tmp_path, service)
    service.put("/v3/acts", [{"id": 9, "contract_id": 1, "index_date": None}])
    collect(service, tmp_path, kafka, "acts")
    journal(service, ("D", "acts", "9", ""))
    collect(service, tmp_path, kafka, "journal")
    for _ in range(2):
        collect(service, tmp_path, kafka, "acts", full=True)
        # It asks a day further back than the last time, so it hears of the deletion again.
        collect(service, tmp_path, kafka, "journal")

    first, *later = [kept.heads["ce_id"] for kept in kafka.of("acts")]
    assert len(later) == 2
    assert first not in later
    assert len(set(later)) == 1


def test_of_rows_with_a_time_nothing_is_remembered(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/acts", [{"id": 9, "index_date": "2026-02-01 10:00:00"}, {"id": 8, "index_date": ""}])
    collect(service, tmp_path, kafka, "acts")

    with State(goszakup_state_path(chosen(tmp_path, service.url))) as state:
        assert list(state.marks("acts", ["9", "8"])) == ["8"]


def test_a_mark_is_the_hash_until_something_came_before_it() -> None:
    assert following("", "a") == "a"
    assert following("a", "a") == "a"
    second = following("a", "b")
    third = following(second, "a")

    assert second.startswith("b-")
    assert third.startswith("a-")
    assert following(third, "a") == third


def test_a_deletion_of_what_is_not_remembered_is_nothing(tmp_path: Path) -> None:
    with State(tmp_path / "state.sqlite") as state:
        Versions(state).left(by_name()["acts"], "1", b"{}")

        assert state.marks("acts", ["1"]) == {}
