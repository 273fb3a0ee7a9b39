"""What a second run asks: heads, the journal, and details of what changed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ingestion.collecting.state import State
from ingestion.procurement.goszakup.plan import JOURNAL_ON, CollectionRequest, make_plan, plan_lines
from ingestion.procurement.goszakup.service import goszakup_state_path
from tests.ingestion.procurement.goszakup.fakes import FakeGoszakup, FakeKafka, Killed, Reply, chosen, rows
from tests.ingestion.procurement.goszakup.runs import TODAY, collect

TOMORROW = date(2026, 2, 11)


def journal(service: FakeGoszakup, *changes: tuple[str, str, str, str]) -> None:
    """The journal has these: action, service, id and url."""
    written: list[dict[str, Any]] = [
        {"action": action, "service_name": name, "object_id": number, "url": url, "date_action": "2026-02-10 09:00:00",
         "service_title": "…", "at": at}
        for at, (action, name, number, url) in enumerate(changes)
    ]  # fmt: skip
    service.put("/v3/journal", written, "at")
    for at, (key, raw) in enumerate(service.registers["/v3/journal"].rows):
        plan_lines = json.loads(raw)
        del plan_lines["at"]
        service.registers["/v3/journal"].rows[at] = (key, json.dumps(plan_lines).encode())


def dates(service: FakeGoszakup) -> list[str]:
    """From which days the journal was asked."""
    requests = [parse_qs(urlsplit(address).query) for address in service.requests if address.startswith("/v3/journal")]
    return [query["date_from"][0] for query in requests]


def noted(folder: Path, service: FakeGoszakup) -> str:
    with State(goszakup_state_path(chosen(folder, service.url))) as state:
        return state.fact(JOURNAL_ON)


def began(folder: Path, service: FakeGoszakup, day: str = "2026-02-08") -> None:
    """As if a load had been made before, on that day."""
    with State(goszakup_state_path(chosen(folder, service.url))) as state:
        state.note(JOURNAL_ON, day)


def test_the_head_is_read_until_a_known_id(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/lots", rows(100, 100))
    collect(service, tmp_path, kafka, "lots")
    service.put("/v3/lots", rows(113, 113))
    kafka.kept.clear()
    service.requests.clear()
    outcome = collect(service, tmp_path, kafka, "lots", today=TOMORROW)
    assert service.paths() == ["/v3/lots"] * 2
    assert [int(kept.key.split(b":")[1]) for kept in kafka.kept] == list(range(113, 100, -1))
    stats = outcome.stats("lots")
    assert (stats.mode, stats.new, stats.counts.pages) == ("head", 13, 2)
    service.requests.clear()
    assert collect(service, tmp_path, kafka, "lots").stats("lots").new == 0
    assert (len(service.requests), len(kafka.kept)) == (1, 13)


def test_a_known_id_that_was_deleted_is_passed_all_the_same(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(100, 100))
    collect(service, tmp_path, kafka, "lots")
    service.put("/v3/lots", rows(105, 5) + rows(97, 97))
    service.requests.clear()
    assert collect(service, tmp_path, kafka, "lots").stats("lots").new == 5
    assert len(service.requests) == 1


def test_a_walk_of_the_head_that_was_killed_leaves_no_gap(service: FakeGoszakup, tmp_path: Path) -> None:
    first, killed, after = FakeKafka(), FakeKafka(dies_after=25), FakeKafka()
    service.put("/v3/lots", rows(20, 20))
    collect(service, tmp_path, first, "lots")
    service.put("/v3/lots", rows(75, 75))
    with pytest.raises(Killed):
        collect(service, tmp_path, killed, "lots")
    service.put("/v3/lots", rows(80, 80))
    collect(service, tmp_path, after, "lots")
    got = {int(kept.key.split(b":")[1]) for kept in first.kept + killed.kept + after.kept}
    assert got == set(range(1, 81))


def test_a_first_load_notes_the_day_from_which_the_journal_is_asked(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    for walk in made_plan(tmp_path, service).walks:
        service.put(walk.address.partition("?")[0], [])
    collect(service, tmp_path, kafka)
    assert noted(tmp_path, service) == "2026-02-10"
    assert dates(service) == []
    journal(service)
    collect(service, tmp_path, kafka, today=date(2026, 2, 12))
    assert dates(service) == ["2026-02-09"], "a day of overlap"
    assert noted(tmp_path, service) == "2026-02-12"


def made_plan(folder: Path, service: FakeGoszakup, today: date = TODAY, **requests: Any) -> Any:
    with State(goszakup_state_path(chosen(folder, service.url))) as state:
        return make_plan(state, CollectionRequest(**requests), today, 10)


def test_deleted_rows_are_events(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    journal(service, ("D", "lots", "17", ""), ("D", "rnu", "1-4909", ""))
    outcome = collect(service, tmp_path, kafka, "journal")
    assert [kept.key.decode() for kept in kafka.of("deleted")] == [
        "kz.goszakup.deleted:lots-17", "kz.goszakup.deleted:rnu-1-4909",
    ]  # fmt: skip
    assert kafka.kept[0].value == service.registers["/v3/journal"].rows[0][1]
    assert (outcome.stats("journal").rows, len(kafka.kept)) == (2, 2)


def test_changed_rows_are_fetched_anew_with_their_sub_lists(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    url = "https://ows.goszakup.gov.kz"
    journal(
        service, ("U", "lots", "17", f"{url}/v3/lots/17"), ("U", "contract", "5", "/v3/contract/5"),
        ("U", "subject", "7", ""), ("U", "rnu", "1-4909", "/v3/rnu/050540004455"), ("U", "trd_buy", "9", ""),
    )  # fmt: skip
    service.objects = {
        "/v3/lots/17": b'{"id":17, "amount":1.50}',
        "/v3/contract/5": b'{"id":5}',
        "/v3/subject/7": b'{"pid":7,"bin":"050540004455","address":[]}',
        "/v3/trd-buy/9": b'{"id":9}',
    }
    service.put("/v3/contract/5/units", [{"id": 51}, {"id": 50}])
    service.put("/v3/subject/biin/050540004455/address", [{"id": 70}])
    service.put("/v3/rnu/050540004455", [{"id": "4909"}])
    service.put("/v3/trd-buy/9/commission", [{"id": 91}])
    service.put("/v3/trd-buy/9/pause", [])
    service.put("/v3/trd-buy/9/cancel", [{"id": 93}])
    outcome = collect(service, tmp_path, kafka, "journal")
    assert outcome.run_stats.is_complete, [stats.message for stats in outcome.run_stats]
    assert {(kept.key.decode(), kept.heads.get("parent", "")) for kept in kafka.kept} == {
        ("kz.goszakup.lots:17", ""), ("kz.goszakup.contract:5", ""), ("kz.goszakup.contract_unit:51", "5"),
        ("kz.goszakup.contract_unit:50", "5"), ("kz.goszakup.subject:7", ""), ("kz.goszakup.subject_address:70", "7"),
        ("kz.goszakup.rnu_entry:4909", ""), ("kz.goszakup.trd_buy:9", ""), ("kz.goszakup.trd_buy_commission:91", "9"),
        ("kz.goszakup.trd_buy_cancel:93", "9"),
    }  # fmt: skip
    assert kafka.of("lots")[0].value == b'{"id":17, "amount":1.50}'


@pytest.mark.parametrize(
    ("name", "url", "row", "key", "sub_list"),
    [
        ("subject", "/v3/subject/biin/050540004455", b'{"pid":7,"bin":"050540004455"}', "subject:7",
         "/v3/subject/biin/050540004455/address"),
        ("trd_buy", "/v3/trd-buy/number-anno/415500-1", b'{"id":9}', "trd_buy:9", "/v3/trd-buy/9/commission"),
        ("contract", "/v3/contract/number-sys/?number=000140001536%2F160089%2F00", b'{"id":5}', "contract:5",
         "/v3/contract/5/units"),
        ("contract", "https://ows.goszakup.gov.kz/v3/contract/number/?number=17-2", b'{"id":5}', "contract:5",
         "/v3/contract/5/units"),
    ],
)  # fmt: skip
def test_an_address_of_the_journal_by_a_number_brings_the_sub_lists_too(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path, name: str, url: str, row: bytes, key: str, sub_list: str
) -> None:
    journal(service, ("U", name, "1", url))
    service.objects[urlsplit(url).path] = row
    for path in ("/v3/trd-buy/9/pause", "/v3/trd-buy/9/cancel"):
        service.put(path, [])
    service.put(sub_list, [{"id": 70}])
    outcome = collect(service, tmp_path, kafka, "journal")
    assert outcome.run_stats.is_complete, [stats.message for stats in outcome.run_stats]
    assert [kept.key.decode() for kept in kafka.kept if b":70" not in kept.key] == [f"kz.goszakup.{key}"]
    assert [kept.heads["parent"] for kept in kafka.kept if b":70" in kept.key] == [key.partition(":")[2]]
    assert url.removeprefix("https://ows.goszakup.gov.kz") in service.requests


def test_a_register_without_a_path_for_one_row_is_asked_by_cursor(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    journal(service, ("U", "trd_app", "17", ""), ("U", "treasury_pay", "99", ""))
    service.put("/v3/trd-app", rows(30, 30))
    service.put("/v3/treasury-pay", rows(30, 10))
    outcome = collect(service, tmp_path, kafka, "journal")
    assert [kept.key for kept in kafka.of("trd_app")] == [b"kz.goszakup.trd_app:17"]
    assert outcome.stats("treasury_pay").counts.not_found == 1


def test_a_row_is_fetched_once_a_run_however_often_it_changed(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    journal(service, *[("U", "lots", "17", "")] * 25)
    service.objects["/v3/lots/17"] = b'{"id":17}'
    collect(service, tmp_path, kafka, "journal")
    assert service.paths("/v3/lots") == ["/v3/lots/17"]


def test_a_listed_id_that_is_not_there_is_noted_and_the_run_goes_on(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    journal(service, ("U", "lots", "16", ""), ("U", "lots", "17", ""))
    service.objects["/v3/lots/17"] = b'{"id":17}'
    outcome = collect(service, tmp_path, kafka, "journal")
    assert outcome.run_stats.is_complete
    assert (outcome.stats("lots_id").counts.not_found, len(kafka.of("lots"))) == (1, 1)


def test_a_change_that_was_not_answered_keeps_the_journals_day(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    began(tmp_path, service)
    for walk in made_plan(tmp_path, service).walks:
        service.put(walk.address.partition("?")[0], [])
    journal(service, ("U", "lots", "17", ""))
    service.always["/v3/lots/17"] = Reply(500)
    assert not collect(service, tmp_path, kafka).run_stats.is_complete
    assert noted(tmp_path, service) == "2026-02-08"
    service.always.clear()
    service.objects["/v3/lots/17"] = b'{"id":17}'
    assert collect(service, tmp_path, kafka).run_stats.is_complete
    assert (noted(tmp_path, service), dates(service)) == ("2026-02-10", ["2026-02-07"] * 2)
    assert len(kafka.of("lots")) == 1


def test_what_the_journal_names_and_nobody_knows_is_told(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    journal(service, ("U", "robots", "1", ""), ("X", "lots", "2", ""))
    outcome = collect(service, tmp_path, kafka, "journal")
    assert outcome.sentences == [
        "The journal names what the table of endpoints does not know: the action 'X', the service 'robots'."
    ]


def test_since_asks_the_journal_for_the_named_registers_only(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    began(tmp_path, service)
    journal(service, ("D", "lots", "1", ""), ("D", "acts", "2", ""))
    service.put("/v3/lots", rows(5, 5))
    collect(service, tmp_path, kafka, "lots", since=date(2026, 1, 15))
    assert dates(service) == ["2026-01-15"]
    assert [kept.key for kept in kafka.of("deleted")] == [b"kz.goszakup.deleted:lots-1"]
    assert noted(tmp_path, service) == "2026-02-08"


def test_the_journal_is_paged_with_its_day(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    journal(service, *[("D", "lots", str(number), "") for number in range(25)])
    collect(service, tmp_path, kafka, "journal", since=date(2026, 1, 15))
    assert dates(service) == ["2026-01-15"] * 3
    assert len(kafka.of("deleted")) == 25


def test_new_rows_get_their_sub_lists(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/contract/all", rows(20, 20))
    collect(service, tmp_path, kafka, "contract_all")
    assert service.paths("/v3/contract/") == ["/v3/contract/all"] * 2, "a first load asks for no details"
    service.put("/v3/contract/all", rows(22, 22))
    service.put("/v3/contract/21/units", [{"id": 210}])
    service.put("/v3/contract/22/units", [{"id": 220}])
    outcome = collect(service, tmp_path, kafka, "contract_all", today=TOMORROW)
    assert {kept.key for kept in kafka.of("contract_unit")} == {
        b"kz.goszakup.contract_unit:210", b"kz.goszakup.contract_unit:220",
    }  # fmt: skip
    assert outcome.stats("contract_units").rows == 2


def test_entries_of_rnu_are_asked_for_what_changed_in_its_list(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    listed = [{"id": str(n), "system_id": 3, "supplier_biin": f"05054000000{n}", "kato_list": []} for n in (3, 2, 1)]
    service.put("/v3/rnu", listed)
    for n in (1, 2, 3, 4):
        service.put(f"/v3/rnu/05054000000{n}", [{"id": str(n), "start_date": "2026-01-01 00:00:00"}])
    collect(service, tmp_path, kafka, "rnu")
    assert len(kafka.of("rnu_entry")) == 3
    listed[2]["kato_list"] = ["750000000"]
    listed.append({"id": "4", "system_id": 3, "supplier_biin": "050540000004", "kato_list": []})
    service.put("/v3/rnu", listed)
    service.requests.clear()
    outcome = collect(service, tmp_path, kafka, "rnu", today=TOMORROW)
    # They are asked for at the same time, so that either may come first.
    assert sorted(service.paths("/v3/rnu/")) == ["/v3/rnu/050540000001", "/v3/rnu/050540000004"]
    assert (outcome.stats("rnu").mode, outcome.stats("rnu").new) == ("full", 2)


def test_dictionaries_are_asked_once_a_week(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/refs/ref_months", rows(12, 12))
    collect(service, tmp_path, kafka, "ref_months")

    def planned(day: int, **requests: Any) -> bool:
        plan = made_plan(tmp_path, service, date(2026, 2, day), **requests)
        return "ref_months" in [walk.register for walk in plan.walks]

    assert (planned(16), planned(17), planned(11, full=True)) == (False, True, True)
    assert planned(11, names=("ref_months",))


def test_lookups_are_asked_once_and_sent(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/lots/bin/050540004455", rows(15, 15))
    service.objects["/v3/contract/number-sys/"] = b'{"id":3}'
    number = "contract_number_sys=000140001536/160089/00"
    outcome = collect(service, tmp_path, kafka, "lots_bin=050540004455", number)
    assert (len(kafka.of("lots")), len(kafka.of("contract"))) == (15, 1)
    assert "/v3/contract/number-sys/?number=000140001536%2F160089%2F00" in service.requests
    assert (outcome.stats("lots_bin").mode, outcome.stats("lots_bin").rows) == ("lookup", 15)


def test_the_schema_and_graphql_are_shown_and_not_sent(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.objects["/help/v3/schema/"] = b"<html>schema</html>"
    pages = [
        b'{"data":{"Lots":[{"id":9}]},"extensions":{"pageInfo":{"hasNextPage":true,"lastId":9}}}',
        b'{"data":{"Lots":[{"id":3}]},"extensions":{"pageInfo":{"hasNextPage":false,"lastId":3}}}',
    ]
    service.faults["/v3/graphql"].extend(Reply(200, page) for page in pages)
    query = "query($limit:Int,$after:Int){Lots(limit:$limit,after:$after){id}}"
    outcome = collect(service, tmp_path, kafka, "schema", f"graphql={query}")
    assert sorted(outcome.shown) == sorted(["<html>schema</html>", *(page.decode() for page in pages)])
    assert [posted["variables"] for posted in service.posted] == [{"limit": 200}, {"limit": 200, "after": 9}]
    assert service.posted[0]["query"] == query
    assert kafka.kept == []


def test_a_query_that_graphql_answers_with_errors_is_no_success(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    answer = b'{"data":null,"errors":[{"message":"Cannot query field \\"x\\" on type \\"Lots\\"."},"odd"]}'
    service.faults["/v3/graphql"].append(Reply(200, answer))
    outcome = collect(service, tmp_path, kafka, "graphql={Lots{x}}")
    assert outcome.shown == [answer.decode()]
    assert not outcome.run_stats.is_complete
    assert outcome.stats("graphql").message == (
        'The service has answered the query with errors: Cannot query field "x" on type "Lots"; odd.'
    )


def test_a_dry_run_tells_first_requests_modes_and_where_from(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(30, 30))
    collect(service, tmp_path, kafka, "lots")
    service.put("/v3/acts", rows(90, 90))
    with pytest.raises(Killed):
        collect(service, tmp_path, FakeKafka(dies_after=25), "acts")
    began(tmp_path, service)
    lines = plan_lines(made_plan(tmp_path, service), "https://x")
    assert "GET https://x/v3/lots?limit=10  lots: head, from its beginning until the known id 30" in lines
    assert (
        "GET https://x/v3/acts?page=next&search_after=71&limit=10  acts: full, from the cursor 71" in lines
    )  # fmt: skip
    assert lines[-1] == (
        "GET https://x/v3/journal?date_from=2026-02-07&limit=10  journal: changes, changes since 2026-02-07, from its "
        "beginning"
    )
    assert len(lines) == 44
