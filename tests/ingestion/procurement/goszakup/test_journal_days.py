"""The day from which the journal is asked: no change falls between two runs, whatever was asked for and broken off."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ingestion.collecting.state import State
from ingestion.procurement.goszakup.plan import JOURNAL_ON
from ingestion.procurement.goszakup.service import goszakup_state_path
from tests.ingestion.procurement.goszakup.fakes import FakeGoszakup, FakeKafka, Killed, Reply, chosen, rows
from tests.ingestion.procurement.goszakup.runs import TODAY, collect
from tests.ingestion.procurement.goszakup.test_daily import began, dates, journal, made_plan, noted

SINCE = date(2026, 1, 15)


def empty(service: FakeGoszakup, folder: Path) -> None:
    """All registers are there, without rows."""
    for walk in made_plan(folder, service, full=True).walks:
        service.put(walk.address.partition("?")[0], [])


def changed(service: FakeGoszakup) -> None:
    """25 lots left, and on the first page an act did."""
    journal(service, ("D", "acts", "1", ""), *[("D", "lots", str(number), "") for number in range(25)])


def test_a_journal_that_was_broken_off_for_one_register_is_not_taken_up_for_all(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    empty(service, tmp_path)
    began(tmp_path, service)
    changed(service)
    with pytest.raises(Killed):
        collect(service, tmp_path, FakeKafka(dies_after=15), "lots", since=SINCE)
    service.requests.clear()
    assert collect(service, tmp_path, kafka).run_stats.is_complete
    assert dates(service)[0] == "2026-02-07", "from the last time that all registers were asked for"
    assert b"kz.goszakup.deleted:acts-1" in [kept.key for kept in kafka.of("deleted")]
    assert noted(tmp_path, service) == "2026-02-10"


def test_a_journal_that_was_broken_off_is_taken_up_by_the_same_command(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", [])
    changed(service)
    with pytest.raises(Killed):
        collect(service, tmp_path, FakeKafka(dies_after=15), "lots", since=SINCE)
    collect(service, tmp_path, kafka, "lots", since=SINCE)
    assert 10 <= len(kafka.of("deleted")) < 25


@pytest.mark.parametrize(("since", "reached"), [(date(2026, 2, 9), "2026-02-05"), (date(2026, 2, 5), "2026-02-10")])
def test_a_day_after_the_last_time_moves_nothing_over_the_gap(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path, since: date, reached: str
) -> None:
    empty(service, tmp_path)
    began(tmp_path, service, "2026-02-05")
    changed(service)
    assert collect(service, tmp_path, kafka, since=since).run_stats.is_complete
    assert noted(tmp_path, service) == reached


def test_a_journal_from_after_the_last_time_is_not_taken_up_by_the_usual_run(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    empty(service, tmp_path)
    began(tmp_path, service, "2026-02-05")
    changed(service)
    with pytest.raises(Killed):
        collect(service, tmp_path, FakeKafka(dies_after=15), since=date(2026, 2, 9))
    service.requests.clear()
    collect(service, tmp_path, kafka)
    assert set(dates(service)) == {"2026-02-04"}
    assert noted(tmp_path, service) == "2026-02-10"


def test_registers_that_were_loaded_one_by_one_count_from_the_first_of_their_days(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    empty(service, tmp_path)
    service.put("/v3/lots", rows(15, 15))
    for day in (1, 5):
        collect(service, tmp_path, kafka, "lots", today=date(2026, 2, day))
    collect(service, tmp_path, kafka)
    assert noted(tmp_path, service) == "2026-02-01"
    journal(service)
    collect(service, tmp_path, kafka)
    assert dates(service) == ["2026-01-31"]


def test_what_an_earlier_version_left_counts_from_its_days_too(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    empty(service, tmp_path)
    collect(service, tmp_path, kafka, "lots", today=date(2026, 2, 1))
    with State(goszakup_state_path(chosen(tmp_path, service.url))) as state:
        state._base.execute("DELETE FROM facts")
    collect(service, tmp_path, kafka)
    assert noted(tmp_path, service) == "2026-02-01"


def test_a_change_that_was_not_answered_is_asked_for_again_though_the_run_was_killed_after_it(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    empty(service, tmp_path)
    began(tmp_path, service)
    journal(service, ("U", "lots", "17", ""), *[("D", "lots", str(number), "") for number in range(25)])
    service.always["/v3/lots/17"] = Reply(500)
    with pytest.raises(Killed):
        collect(service, tmp_path, FakeKafka(dies_after=12))
    service.always.clear()
    service.objects["/v3/lots/17"] = b'{"id":17}'

    rest = collect(service, tmp_path, kafka)
    assert "was not answered in an earlier run; the next run asks for it again" in rest.stats("journal").message
    assert noted(tmp_path, service) == "2026-02-08"
    assert kafka.of("lots") == []
    assert collect(service, tmp_path, kafka).run_stats.is_complete
    assert (len(kafka.of("lots")), noted(tmp_path, service)) == (1, TODAY.isoformat())


def test_a_detail_that_was_not_answered_is_asked_for_again_though_the_run_was_killed_after_it(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/contract/all", rows(20, 20))
    collect(service, tmp_path, kafka, "contract_all")
    service.put("/v3/contract/all", rows(55, 55))
    for number in range(21, 56):
        service.put(f"/v3/contract/{number}/units", [{"id": number * 10}])
    service.always["/v3/contract/50/units"] = Reply(500)
    with pytest.raises(Killed):
        collect(service, tmp_path, FakeKafka(dies_after=35), "contract_all")
    service.always.clear()

    assert not collect(service, tmp_path, kafka, "contract_all").run_stats.is_complete
    assert collect(service, tmp_path, kafka, "contract_all").run_stats.is_complete
    assert b"kz.goszakup.contract_unit:500" in [kept.key for kept in kafka.of("contract_unit")]


def test_a_journal_that_an_earlier_version_broke_off_begins_anew(service: FakeGoszakup, tmp_path: Path) -> None:
    began(tmp_path, service)
    path = goszakup_state_path(chosen(tmp_path, service.url))
    with State(path) as state:
        state._base.executescript(
            "DROP TABLE walks; CREATE TABLE walks (register TEXT PRIMARY KEY, mode TEXT, address TEXT,"
            " search_after TEXT, head TEXT, until TEXT, pages INTEGER, rows INTEGER, started_on TEXT);"
            "INSERT INTO walks VALUES ('journal', 'changes', '/v3/journal?search_after=9', '9', '', '2026-02-01', 1,"
            " 10, '2026-02-09'), ('lots', 'full', '/v3/lots?search_after=5', '5', '99', '', 3, 30, '2026-02-09');"
        )
    with State(path) as state:
        assert state.walk("journal") is None
        walk = state.walk("lots")
        assert walk is not None
        assert (walk.search_after, walk.only, walk.is_whole, walk.total) == ("5", "", True, 0)
        assert state.fact(JOURNAL_ON) == "2026-02-08"
