"""What a walk would miss without a word: rows that a cursor skips, an early end, a page that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingestion.procurement.goszakup.endpoint_reader import AGAIN
from ingestion.procurement.goszakup.page_limit import PageLimit, remains
from tests.ingestion.procurement.goszakup.fakes import FakeGoszakup, FakeKafka, Killed, Reply, rows
from tests.ingestion.procurement.goszakup.runs import collect

SPOILED = b'{"id": 47, "name_ru": "\x01"}'


def page(service: FakeGoszakup, path: str, query: str, **changes: object) -> Reply:
    """The page of a register as it is, but for some fields of its envelope."""
    output = json.loads(service.answer(f"{path}?{query}", f"Bearer {service.token}").body)
    return Reply(200, json.dumps(output | changes).encode())


def keys(kafka: FakeKafka) -> list[int]:
    return [int(kept.key.rpartition(b":")[2]) for kept in kafka.of("lots")]


def test_a_cursor_that_skips_rows_is_asked_for_again(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/lots", rows(40, 40))
    skipping = page(service, "/v3/lots", "limit=10", next_page="/v3/lots?page=next&search_after=25")
    service.faults["/v3/lots"].append(skipping)
    stats = collect(service, tmp_path, kafka, "lots").stats("lots")
    assert (stats.is_complete, stats.counts.retries) == (True, 1)
    assert keys(kafka) == list(range(40, 0, -1))


def test_a_cursor_that_keeps_skipping_rows_stops_the_register(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(40, 40))
    skipping = page(service, "/v3/lots", "limit=10", next_page="/v3/lots?page=next&search_after=25")
    service.faults["/v3/lots"].extend([skipping] * (AGAIN + 1))
    outcome = collect(service, tmp_path, kafka, "lots")
    assert "would skip rows: the last one of the page is 31" in outcome.stats("lots").message
    assert keys(kafka) == list(range(40, 30, -1))
    assert collect(service, tmp_path, kafka, "lots").run_stats.is_complete
    assert set(keys(kafka)) == set(range(1, 41))


def test_where_the_last_row_has_no_id_its_cursor_is_believed(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(25, 25))
    service.registers["/v3/lots"].rows[9] = ("16", b'{"id": null}')
    stats = collect(service, tmp_path, kafka, "lots").stats("lots")
    assert (stats.is_complete, stats.counts.retries, stats.quarantined, stats.rows) == (True, 0, 1, 25)


def test_a_register_that_ends_early_is_asked_again_and_goes_on(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(40, 40))
    service.faults["/v3/lots"].append(page(service, "/v3/lots", "limit=10", next_page=""))
    outcome = collect(service, tmp_path, kafka, "lots")
    assert (outcome.stats("lots").rows, outcome.sentences) == (40, [])


def test_a_register_with_fewer_rows_than_it_counts_is_told(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(25, 25))
    service.faults["/v3/lots"].extend([page(service, "/v3/lots", "limit=10", next_page="")] * (AGAIN + 1))
    outcome = collect(service, tmp_path, kafka, "lots")
    assert outcome.sentences == ["lots: the service ended with 10 rows, where it counts 25."]
    assert outcome.stats("lots").message == outcome.sentences[0]


def test_rows_that_come_twice_do_not_hide_rows_that_do_not_come(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(25, 25))
    first, second = (page(service, "/v3/lots", f"limit=10{cursor}") for cursor in ("", "&search_after=16"))
    both = json.loads(second.body)["items"] + json.loads(first.body)["items"]
    early = page(service, "/v3/lots", "limit=10&search_after=16", items=both, next_page="")
    service.faults["/v3/lots"].extend([first, *[early] * (AGAIN + 1)])
    assert collect(service, tmp_path, kafka, "lots").sentences == [
        "lots: the service ended with 20 rows, where it counts 25."
    ]


def test_rows_that_leave_during_a_walk_are_not_missed(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    service.put("/v3/lots", rows(40, 40))
    service.faults["/v3/lots"].append(page(service, "/v3/lots", "limit=10"))
    service.put("/v3/lots", rows(40, 15) + rows(20, 20))
    outcome = collect(service, tmp_path, kafka, "lots")
    assert (outcome.sentences, outcome.stats("lots").counts.retries) == ([], 0)


def test_a_head_that_goes_with_rows_nobody_collected_is_told(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(30, 30))
    collect(service, tmp_path, kafka, "lots")
    service.put("/v3/lots", rows(45, 45))
    assert collect(service, tmp_path, kafka, "lots").sentences == []
    larger = rows(9_050, 500) + rows(45, 45)
    service.put("/v3/lots", [row for row in larger if row["id"] > 9_000 or row["id"] <= 45])
    assert collect(service, tmp_path, kafka, "lots").sentences == []
    service.put("/v3/lots", rows(9_051, 1_000))
    assert collect(service, tmp_path, kafka, "lots").sentences == [
        "lots: the service counts 1,000 rows, and 96 were collected. `--full --register lots` walks it to its end."
    ]


def test_a_row_that_spoils_its_page_stands_alone_in_quarantine(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(100, 100))
    service.registers["/v3/lots"].rows[53] = ("47", SPOILED)
    outcome = collect(service, tmp_path, kafka, "lots")
    assert keys(kafka) == [number for number in range(100, 0, -1) if number != 47]
    (bad,) = kafka.of("unreadable")
    assert SPOILED in bad.value
    assert bad.heads["url"] == f"{service.url}/v3/lots?page=next&search_after=48&limit=1"
    stats = outcome.stats("lots")
    assert (stats.is_complete, stats.quarantined, stats.rows) == (True, 1, 100)
    assert "search_after=48&limit=1 cannot be read and was passed: the answer is no JSON" in stats.message
    assert service.requests[-1].endswith("limit=10"), "later pages are as large as ever"


@pytest.mark.parametrize("spoiled", [0, 99])
def test_the_first_and_the_last_row_may_be_the_one(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path, spoiled: int
) -> None:
    service.put("/v3/lots", rows(100, 100))
    service.registers["/v3/lots"].rows[spoiled] = (str(100 - spoiled), SPOILED)
    outcome = collect(service, tmp_path, kafka, "lots")
    assert (len(keys(kafka)), outcome.run_stats.is_complete) == (99, True)
    service.put("/v3/lots", rows(105, 105))
    outcome = collect(service, tmp_path, kafka, "lots")
    assert (outcome.stats("lots").mode, outcome.run_stats.is_complete) == ("head", True)


def test_a_walk_that_is_killed_among_narrow_pages_goes_on_with_wide_ones(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(100, 100))
    service.registers["/v3/lots"].rows[53] = ("47", SPOILED)
    killed = FakeKafka(dies_after=52)
    with pytest.raises(Killed):
        collect(service, tmp_path, killed, "lots")
    service.requests.clear()
    collect(service, tmp_path, kafka, "lots")
    assert service.requests[0].endswith("limit=10")
    sent = keys(kafka) + [int(kept.key.rpartition(b":")[2]) for kept in killed.kept]
    assert set(sent) == set(range(1, 101)) - {47}
    assert len(sent) - len(set(sent)) <= 10


def test_fewer_rows_are_asked_for_until_the_row_is_alone_and_then_as_many_as_ever() -> None:
    narrow, address = PageLimit(500), "/v3/lots?page=next&search_after=9&limit=500"
    requests = []
    while narrow.tighten():
        requests.append(narrow.narrowed(address))
    assert requests == [f"/v3/lots?page=next&search_after=9&limit={limit}" for limit in (62, 7, 1)]
    assert narrow.usual("/v3/lots?limit=1&search_after=8") == "/v3/lots?search_after=8&limit=500"
    narrow.widen()
    assert (narrow.is_on, narrow.narrowed(address)) == (False, address)
    narrow.tighten()
    for rows_read in (62,) * 8:
        narrow.was_read(rows_read)
        assert narrow.is_on
    narrow.was_read(4)
    assert not narrow.is_on


@pytest.mark.parametrize(
    ("body", "next_page"),
    [
        (b'{"total":3,"next_page":"/v3/lots?a=\\"1","items":[{', '/v3/lots?a="1'),
        (b'{"next_page" : null, "items":[{', None),
        (b'{"next_page":"","items":[{', ""),
    ],
)
def test_a_damaged_page_may_still_say_where_the_next_one_is(body: bytes, next_page: str | None) -> None:
    actual = remains(body)
    assert actual is not None
    assert (actual.items, actual.next_page) == ([], next_page)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"items":[{"id":1', b'{"next_page":"/v3/lo', b'{"next_page":"\\x"'])
def test_a_damaged_page_that_does_not_say_it_is_the_end(body: bytes) -> None:
    assert remains(body) is None


def test_a_short_list_with_a_late_page_is_asked_again(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    path = "/v3/lots/bin/050540004455"
    service.put(path, rows(25, 25))
    first, second = (service.answer(f"{path}?limit=10{c}", f"Bearer {service.token}") for c in ("", "&search_after=16"))
    service.faults[path].extend([first, second, second])
    stats = collect(service, tmp_path, kafka, "lots_bin=050540004455").stats("lots_bin")
    assert (stats.is_complete, stats.counts.retries) == (True, 1)
    assert keys(kafka) == list(range(25, 0, -1))


def test_a_list_that_comes_as_a_bare_object_is_one_row(service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path) -> None:
    """As the documentation's sample of the treasury payments, which is promised as a list."""
    bare = b'{"id": 31, "contract_id": 7, "pay_amount": 12.50}'
    service.objects = {"/v3/treasury-pay": bare, "/v3/contract/all": b'{"id": 7}', "/v3/contract/7/units": b'{"id": 1}'}
    outcome = collect(service, tmp_path, kafka, "treasury_pay", "contract_all", details=("contract_all",))
    assert outcome.run_stats.is_complete, [stats.message for stats in outcome.run_stats]
    assert [kept.value for kept in kafka.of("treasury_pay")] == [bare]
    assert [kept.heads["parent"] for kept in kafka.of("contract_unit")] == ["7"]
    assert kafka.of("unreadable") == []


def test_a_bare_object_in_the_middle_of_a_register_is_not_its_end(
    service: FakeGoszakup, kafka: FakeKafka, tmp_path: Path
) -> None:
    service.put("/v3/lots", rows(25, 25))
    first = service.answer("/v3/lots?limit=10", f"Bearer {service.token}")
    service.faults["/v3/lots"].extend([first, Reply(200, b'{"id": 15}')])
    outcome = collect(service, tmp_path, kafka, "lots")
    assert (outcome.stats("lots").rows, outcome.sentences) == (25, [])
