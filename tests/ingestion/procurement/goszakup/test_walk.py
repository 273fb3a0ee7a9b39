"""Full loads of registers."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from ingestion.collecting.client import TRIES, CredentialsRefused
from ingestion.collecting.state import State
from ingestion.core.errors import BrokerLost
from ingestion.procurement.goszakup.endpoint_reader import AGAIN
from ingestion.procurement.goszakup.service import goszakup_state_path
from schemas.procurement.endpoints import registers
from tests.ingestion.procurement.goszakup.fakes import FakeGoszakup, FakeKafka, Killed, Reply, chosen, rows
from tests.ingestion.procurement.goszakup.runs import TODAY, collect


def test_a_register_is_walked_to_its_end_row_by_row(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/lots", rows(120, 53))
    outcome = collect(service, tmp_path, kafka, "lots")
    assert [kept.value for kept in kafka.kept] == [raw for _, raw in service.registers["/v3/lots"].rows]
    assert {kept.type for kept in kafka.kept} == {"kz.goszakup.lots"}
    assert kafka.kept[0].key == b"kz.goszakup.lots:120"
    assert service.requests[:2] == ["/v3/lots?limit=10", "/v3/lots?page=next&search_after=111&limit=10"]
    stats = outcome.stats("lots")
    assert (stats.counts.pages, stats.rows, stats.new, stats.expected, stats.is_complete) == (6, 53, 53, 53, True)


def test_dictionaries_are_walked_by_their_codes(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    codes = [f"{number:03d}" for number in range(0, 700, 30)]
    service.put("/v3/refs/ref_units", [{"code": code, "name_ru": "кг"} for code in codes], key="code")
    collect(service, tmp_path, kafka, "ref_units")
    assert [kept.key.decode() for kept in kafka.kept] == [f"kz.goszakup.ref_units:{code}" for code in codes]


def test_the_malformed_cursors_are_followed(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/lots", rows(25, 25), next_path="/lots")
    service.put("/v2/plans/deleted", rows(25, 25), next_path="/plans/spec")
    assert collect(service, tmp_path, kafka, "lots", "plans_deleted").run_stats.is_complete
    assert (len(kafka.of("lots")), len(kafka.of("plans_deleted"))) == (25, 25)


def test_a_cursor_that_stands_still_stops_the_register_after_its_page(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(40, 40))
    page = service.answer("/v3/lots?limit=10&search_after=31", f"Bearer {service.token}").body
    service.faults["/v3/lots"].extend([
        service.answer("/v3/lots?limit=10", f"Bearer {service.token}"), *[Reply(200, page)] * (AGAIN + 2),
    ])  # fmt: skip
    outcome = collect(service, tmp_path, kafka, "lots")
    assert "21 does not advance from 21" in outcome.stats("lots").message
    assert not outcome.stats("lots").is_complete
    seen = Counter(kept.key for kept in kafka.kept)
    assert len(seen) == 20
    again = collect(service, tmp_path, kafka, "lots")
    assert again.stats("lots").is_complete
    assert {kept.value for kept in kafka.kept} == {raw for _, raw in service.registers["/v3/lots"].rows}


def test_a_page_that_comes_late_is_asked_for_again(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/lots", rows(40, 40))
    first, page = (
        service.answer(f"/v3/lots?limit=10{cursor}", f"Bearer {service.token}") for cursor in ("", "&search_after=31")
    )
    service.faults["/v3/lots"].extend([first, page, page])
    stats = collect(service, tmp_path, kafka, "lots").stats("lots")

    assert (stats.is_complete, stats.rows, stats.counts.retries) == (True, 40, 1)
    assert [kept.value for kept in kafka.kept] == [raw for _, raw in service.registers["/v3/lots"].rows]


def test_registers_go_on_when_one_of_them_fails(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/lots", rows(25, 25))
    service.put("/v3/acts", rows(25, 25))
    service.always["/v3/acts"] = Reply(500)
    outcome = collect(service, tmp_path, kafka, "lots", "acts", "trd_app")
    assert (len(kafka.of("lots")), len(kafka.of("acts"))) == (25, 0)
    assert (outcome.stats("acts").is_complete, outcome.stats("trd_app").is_complete) == (False, False)
    assert "answered 404" in outcome.stats("trd_app").message
    assert outcome.stats("acts").counts.retries >= TRIES - 1


def test_a_page_that_cannot_be_read_goes_to_quarantine_and_is_asked_again_next_time(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(25, 25))
    service.faults["/v3/lots"].append(service.answer("/v3/lots?limit=10", f"Bearer {service.token}"))
    service.always["/v3/lots"] = Reply(200, b"<html>maintenance</html>")
    outcome = collect(service, tmp_path, kafka, "lots")
    (bad,) = kafka.of("unreadable")
    assert bad.value == b"<html>maintenance</html>"
    assert bad.heads["url"] == f"{service.url}/v3/lots?page=next&search_after=16&limit=1"
    assert "web page" in bad.heads["reason"]
    assert (outcome.stats("lots").quarantined, outcome.stats("lots").is_complete) == (1, False)
    assert len(kafka.of("lots")) == 10
    service.always.clear()
    assert collect(service, tmp_path, kafka, "lots").stats("lots").is_complete
    assert len(kafka.of("lots")) == 25, "it went on from the page that was missing"


def test_a_row_of_another_shape_goes_to_quarantine_with_its_url(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(15, 15))
    service.registers["/v3/lots"].rows[3] = ("12", b'{"id": null, "name_ru": "?"}')
    outcome = collect(service, tmp_path, kafka, "lots")
    (bad,) = kafka.of("unreadable")
    assert (bad.value, bad.heads["url"]) == (b'{"id": null, "name_ru": "?"}', f"{service.url}/v3/lots?limit=10")
    assert (len(kafka.of("lots")), outcome.stats("lots").quarantined, outcome.run_stats.is_complete) == (14, 1, True)


@pytest.mark.parametrize("records", [1, 17, 30, 31, 57, 99])
def test_after_a_kill_at_most_one_page_is_repeated(service: FakeGoszakup, tmp_path: Path, records: int) -> None:
    service.put("/v3/lots", rows(100, 100))
    killed, after = FakeKafka(dies_after=records), FakeKafka()
    with pytest.raises(Killed):
        collect(service, tmp_path, killed, "lots")
    collect(service, tmp_path, after, "lots")
    sent = [kept.value for kept in killed.kept] + [kept.value for kept, _ in killed.waiting]
    sent += [kept.value for kept in after.kept]
    assert set(sent) == {raw for _, raw in service.registers["/v3/lots"].rows}
    assert len(sent) - len(set(sent)) <= 10
    assert len(after.kept) <= 100 - 10 * ((records - 1) // 10)


def test_a_lost_broker_keeps_the_place_of_what_was_acknowledged(service: FakeGoszakup, tmp_path: Path) -> None:
    service.put("/v3/lots", rows(100, 100))
    with pytest.raises(BrokerLost):
        collect(service, tmp_path, FakeKafka(fails_after=35), "lots")
    with State(goszakup_state_path(chosen(tmp_path, service.url))) as state:
        walk = state.walk("lots")
    assert walk is not None
    assert (walk.search_after, walk.pages, walk.rows) == ("71", 3, 30)


def test_a_refused_token_in_the_middle_stops_all_and_keeps_the_place(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(100, 100))
    first = service.answer("/v3/lots?limit=10", f"Bearer {service.token}")
    service.faults["/v3/lots"].extend([first, Reply(401)])
    with pytest.raises(CredentialsRefused):
        collect(service, tmp_path, kafka, "lots")
    assert collect(service, tmp_path, kafka, "lots").run_stats.is_complete
    assert len({kept.key for kept in kafka.kept}) == 100
    assert len(kafka.kept) <= 110


def test_pages_that_come_twice_or_late_neither_lose_nor_multiply_events(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(40, 40))
    first, second = (
        json.loads(service.answer(f"/v3/lots?limit=10{cursor}", f"Bearer {service.token}").body)
        for cursor in ("", "&search_after=31")
    )
    late = first | {"next_page": "/v3/lots?page=next&search_after=31"}
    repeated = second | {"items": first["items"][-3:] + second["items"]}
    service.faults["/v3/lots"].extend(Reply(200, json.dumps(output).encode()) for output in (first, late, repeated))
    stats = collect(service, tmp_path, kafka, "lots").stats("lots")
    assert (stats.is_complete, stats.counts.retries) == (True, 1)
    keys = [kept.key for kept in kafka.kept]
    assert len(keys) == 43, "three rows came at the head of a page again"
    assert len({kept.heads["ce_id"] for kept in kafka.kept}) == len(set(keys)) == 40


def test_a_second_full_load_makes_the_same_events(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/lots", rows(40, 40))
    collect(service, tmp_path, kafka, "lots")
    collect(service, tmp_path, kafka, "lots", full=True)
    assert len(kafka.kept) == 80
    assert len({kept.heads["ce_id"] for kept in kafka.kept}) == 40


def test_memory_holds_one_page_of_a_register_at_a_time(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/lots", rows(300, 300))
    collect(service, tmp_path, kafka, "lots")
    assert kafka.most_waiting <= 10


def test_unknown_fields_are_sent_as_they_came(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    """What they are is said by the report of the day, from bronze (jobs/commands/drift.py)."""
    service.put("/v3/lots", rows(15, 15, lot_colour="red"))
    first = collect(service, tmp_path, kafka, "lots", full=True)
    assert (first.sentences, first.run_stats.is_complete) == ([], True)
    assert all(b'"lot_colour": "red"' in kept.value for kept in kafka.kept)


def test_a_register_that_is_suddenly_empty_is_stopped(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/lots", rows(25, 25))
    collect(service, tmp_path, kafka, "lots")
    full = service.registers["/v3/lots"].rows
    service.registers["/v3/lots"].rows = []
    for whole in (True, False):
        outcome = collect(service, tmp_path, kafka, "lots", full=whole, today=date(2026, 2, 11))
        assert not outcome.stats("lots").is_complete
        assert "lots: the service shows no row, where it had 25 on 2026-02-10." in outcome.stats("lots").message
    service.registers["/v3/lots"].rows = full
    assert collect(service, tmp_path, kafka, "lots").run_stats.is_complete


def test_a_register_that_always_was_empty_is_no_fault(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/lots", [])
    assert collect(service, tmp_path, kafka, "lots").run_stats.is_complete
    assert collect(service, tmp_path, kafka, "lots").run_stats.is_complete


def test_details_of_every_row_are_fetched_where_they_are_asked_for(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/contract/all", rows(13, 13))
    for number in range(1, 14):
        service.put(f"/v3/contract/{number}/units", [{"id": number * 100, "quantity": 1}])
    collect(service, tmp_path, kafka, "contract_all", details=("contract_all",))
    units = kafka.of("contract_unit")
    assert {(kept.heads["parent"], kept.key.decode()) for kept in units} == {
        (str(number), f"kz.goszakup.contract_unit:{number * 100}") for number in range(1, 14)
    }
    assert units[0].heads["ce_source"].startswith("goszakup:/v3/contract/")
    requests = len(service.requests)
    collect(service, tmp_path, FakeKafka(), "contract_all", full=True, details=("trd_buy_all",))
    assert len(service.requests) - requests == 2, "two pages, and no sub-list of a register that was not named"


def every_register(service: FakeGoszakup) -> int:
    """Give the service 25 rows of every register, in three pages; how many registers there are."""
    for endpoint in registers():
        key = {"subject_all": "pid", "plans": "pid"}.get(endpoint.name, "id")
        key = "code" if endpoint.name in ("ref_units", "ref_kato", "ref_countries", "ref_currency") else key
        service.put(endpoint.path, [{key: number, "system_id": 3} for number in range(25, 0, -1)], key)
    return len(registers())


@pytest.mark.parametrize("full", [True, False])
def test_a_load_that_was_killed_goes_on_and_repeats_at_most_one_page_of_any_register(
    service: FakeGoszakup, tmp_path: Path, full: bool
) -> None:
    """Those that had come to their ends were walked again from their beginnings."""
    count = every_register(service)
    service.put("/v3/lots", rows(100, 100))
    killed, after = FakeKafka(dies_after=(count - 1) * 25 + 60), FakeKafka()
    with pytest.raises(Killed):
        collect(service, tmp_path, killed, full=full)
    collect(service, tmp_path, after, full=full)
    sent = Counter(kept.key for kept in [*killed.kept, *(kept for kept, _ in killed.waiting), *after.kept])
    again = Counter({key.split(b":")[0]: 0 for key in sent})
    again.update(key.split(b":")[0] for key, times in sent.items() if times > 1)
    assert len(sent) == (count - 1) * 25 + 100
    assert {name: rows for name, rows in again.items() if rows > 10} == {}

    whole = FakeKafka()
    collect(service, tmp_path, whole, full=True)
    assert len(whole.kept) == len(sent), "a load that came to its end is followed by one from the beginning"


def test_a_full_load_in_which_a_register_failed_goes_on_with_that_one_for_a_week(
    service: FakeGoszakup, tmp_path: Path
) -> None:
    every_register(service)
    lots = service.registers.pop("/v3/lots")
    assert not collect(service, tmp_path, FakeKafka(), full=True).run_stats.is_complete
    service.registers["/v3/lots"] = lots
    service.requests.clear()
    assert collect(service, tmp_path, FakeKafka(), full=True, today=TODAY + timedelta(days=6)).run_stats.is_complete
    assert set(service.paths()) == {"/v3/lots"}

    del service.registers["/v3/lots"]
    collect(service, tmp_path, FakeKafka(), full=True)
    service.registers["/v3/lots"] = lots
    service.requests.clear()
    collect(service, tmp_path, FakeKafka(), full=True, today=TODAY + timedelta(days=8))
    assert len(set(service.paths())) == len(registers()), "after a week it begins anew"


def test_a_daily_load_in_which_a_register_failed_asks_for_all_again(service: FakeGoszakup, tmp_path: Path) -> None:
    every_register(service)
    lots = service.registers.pop("/v3/lots")
    assert not collect(service, tmp_path, FakeKafka()).run_stats.is_complete
    service.registers["/v3/lots"] = lots
    service.requests.clear()
    collect(service, tmp_path, FakeKafka())
    due = {e.path for e in registers() if e.schedule == "daily"}
    assert due <= set(service.paths())


def test_all_registers_are_walked_side_by_side(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    assert every_register(service) == 43
    outcome = collect(service, tmp_path, kafka)
    assert outcome.run_stats.is_complete, [stats.message for stats in outcome.run_stats]
    assert len({kept.key for kept in kafka.kept}) == 43 * 25
    assert "/v3/journal" not in service.paths(), "nothing can have changed before the first load"
