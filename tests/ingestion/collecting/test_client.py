from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from conf.domains.procurement import ProcurementSettings
from ingestion.collecting.client import (
    FIRST_PATIENCE,
    PATIENCE,
    TRIES,
    Answer,
    CredentialsRefused,
    NoAnswer,
    RequestCounts,
    UnreadableAnswer,
    _retry_after,
)
from ingestion.collecting.limiter import CUT, GROWTH_SECONDS, LONGEST_STEP, Limiter
from ingestion.core.errors import Unreadable
from ingestion.procurement.goszakup.pages import Page, read_object, read_page
from ingestion.procurement.goszakup.service import goszakup_client
from tests.ingestion.procurement.goszakup.fakes import TOKEN, FakeGoszakup, FakeTime, Reply, chosen, rows, serving


@pytest.fixture
def service() -> Iterator[FakeGoszakup]:
    with serving(FakeGoszakup()) as fake:
        fake.put("/v3/lots", rows(30, 30))
        yield fake


def ask(
    service: FakeGoszakup, folder: Path, address: str = "/v3/lots?limit=10", limiter: Limiter | None = None,
    check: Any = read_page, time: FakeTime | None = None, tries: int | None = None, **more: Any,
) -> tuple[Answer, RequestCounts, FakeTime]:  # fmt: skip
    """One request. Without a limiter of its own, each turn comes at once and only waits are slept."""
    counts, time = RequestCounts(), time or FakeTime()
    limiter = limiter or Limiter(1e9, time, time.sleep)

    async def once() -> Answer:
        settings = chosen(folder, service.url, **more)
        async with goszakup_client(settings, limiter=limiter, sleep=time.sleep, clock=time) as client:
            return await client.get(address, check, counts, tries)

    return asyncio.run(once()), counts, time


def test_an_answer_is_read_and_counted(service: FakeGoszakup, tmp_path: Path) -> None:
    answer, counts, time = ask(service, tmp_path)
    assert isinstance(answer.read, Page)
    assert (len(answer.read.items), answer.read.next_page) == (10, "/v3/lots?page=next&search_after=21")
    assert (counts.pages, counts.retries, time.seconds) == (1, 0, [])
    assert counts.slowest == counts.seconds > 0


FAULTS = {
    "429": Reply(429, b"slow down"),
    "500": Reply(500, b"oops"),
    "503 web page": Reply(503, b"<html>maintenance</html>"),
    "web page": Reply(200, b"<html>maintenance</html>"),
    "cut off by length": Reply(200, b'{"items":[{"id":1},', claims=500),
    "cut off JSON": Reply(200, b'{"items":[{"id":1},{"i'),
    "empty": Reply(200, b""),
    "wrong shape": Reply(200, b'{"things":[]}'),
    "not compressed": Reply(200, b"plain", {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_what_may_pass_is_asked_again(service: FakeGoszakup, tmp_path: Path, fault: Reply) -> None:
    service.faults["/v3/lots"].extend([fault, fault])
    time, turns = FakeTime(), FakeTime()
    limiter = Limiter(1_000, turns, turns.sleep)
    answer, counts, _ = ask(service, tmp_path, limiter=limiter, time=time)
    assert len(answer.read.items) == 10
    assert (counts.retries, len(time.seconds), counts.pages) == (2, 2, 1)
    assert (limiter.rate < 1_000) == (fault.status == 429), "two faults are no limit of the service"


def test_the_waits_differ_and_stay_in_bounds(service: FakeGoszakup, tmp_path: Path) -> None:
    service.faults["/v3/lots"].extend([Reply(500)] * (TRIES - 1))
    _, _, time = ask(service, tmp_path)
    assert len(set(time.seconds)) == TRIES - 1
    assert all(0 <= seconds <= 2 ** (number + 1) for number, seconds in enumerate(time.seconds))


def outage(service: FakeGoszakup, time: FakeTime, reply: Reply, seconds: float) -> None:
    """The service answers so until that time has passed."""
    well = service.answer

    def answer(address: str, token: str) -> Reply:
        return reply if time.now < seconds else well(address, token)

    service.answer = answer  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "reply", [Reply(429), Reply(429, headers={"Retry-After": "1"}), Reply(503), Reply(200, b"<html>maintenance</html>")]
)
def test_an_outage_of_minutes_is_waited_for(service: FakeGoszakup, tmp_path: Path, reply: Reply) -> None:
    time = FakeTime()
    outage(service, time, reply, 300.0)
    answer, counts, _ = ask(service, tmp_path, time=time)
    assert len(answer.read.items) == 10
    assert 300 <= time.now < PATIENCE
    assert counts.retries < 40, "not many questions for a service in need"


def test_too_many_without_a_word_how_long_pauses_all_requests_longer_each_time(
    service: FakeGoszakup, tmp_path: Path
) -> None:
    time = FakeTime()
    limiter = Limiter(1_000, time, time.sleep)
    paused: list[float] = []
    limiter.pause = paused.append  # type: ignore[method-assign]
    service.faults["/v3/lots"].extend([Reply(429)] * 3)
    ask(service, tmp_path, limiter=limiter, time=time)
    assert paused == [10.0, 20.0, 30.0]


def test_faults_that_stay_end_with_a_sentence(service: FakeGoszakup, tmp_path: Path) -> None:
    time = FakeTime()
    service.always["/v3/lots"] = Reply(502)
    with pytest.raises(
        NoAnswer, match=r"/v3/lots\?limit=10 failed \d+ times in 6\d\d s, the last time so: status 502\. Running it"
    ):
        ask(service, tmp_path, time=time)
    assert time.now >= PATIENCE


def test_a_service_that_never_answered_is_not_waited_for_so_long(tmp_path: Path) -> None:
    time, requests = FakeTime(), []

    async def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        raise httpx.ConnectError("refused")

    async def once() -> None:
        settings = chosen(tmp_path, "http://127.0.0.1:1")
        transport = httpx.MockTransport(handler)
        async with goszakup_client(settings, transport=transport, sleep=time.sleep, clock=time) as client:
            await client.get("/v3/lots", read_page, RequestCounts())

    with pytest.raises(NoAnswer, match=r"the last time so: refused"):
        asyncio.run(once())
    assert FIRST_PATIENCE <= time.now < PATIENCE / 2
    assert len(requests) >= TRIES


@pytest.mark.parametrize(("tries", "requests"), [(None, TRIES), (2, 2)])
def test_a_body_that_stays_damaged_is_handed_back_for_quarantine(
    service: FakeGoszakup, tmp_path: Path, tries: int | None, requests: int
) -> None:
    service.always["/v3/lots"] = Reply(200, b'{"items":[}')
    with pytest.raises(UnreadableAnswer) as given:
        ask(service, tmp_path, tries=tries)
    assert (given.value.body, given.value.url) == (b'{"items":[}', f"{service.url}/v3/lots?limit=10")
    assert "no JSON" in given.value.reason
    assert len(service.requests) == requests


def test_silence_is_asked_again(tmp_path: Path) -> None:
    requests = []

    async def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if len(requests) == 1:
            raise httpx.ReadTimeout("silence")
        return httpx.Response(200, content=b'{"items":[]}')

    limiter, time = Limiter(1_000), FakeTime()

    async def once() -> Answer:
        settings = chosen(tmp_path, "http://127.0.0.1:1")
        transport = httpx.MockTransport(handler)
        async with goszakup_client(settings, limiter=limiter, transport=transport, sleep=time.sleep) as client:
            return await client.get("/v3/lots", read_page, RequestCounts())

    assert asyncio.run(once()).read.items == []
    assert (len(requests), limiter.rate) == (2, 1_000)
    assert requests[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_the_services_complaints_slow_all_down(service: FakeGoszakup, tmp_path: Path) -> None:
    time = FakeTime()
    limiter = Limiter(1_000, time, time.sleep)
    service.faults["/v3/lots"].extend([Reply(429), Reply(500)])
    ask(service, tmp_path, limiter=limiter, time=time)
    assert 1_000 * CUT <= limiter.rate <= 1_000 * CUT + 1_000 / GROWTH_SECONDS * LONGEST_STEP


def test_retry_after_is_obeyed_by_all(service: FakeGoszakup, tmp_path: Path) -> None:
    time = FakeTime()
    limiter = Limiter(1_000, time, time.sleep)
    service.faults["/v3/lots"].append(Reply(429, headers={"Retry-After": "17"}))
    ask(service, tmp_path, limiter=limiter, time=time)
    assert time.now == pytest.approx(17)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120.0), ("Sat, 31 Jan 2026 09:30:30 GMT", 30.0), ("Sat, 31 Jan 2026 09:00:00 GMT", 0.0), ("soon", 0.0),
     ("", 0.0), ("-5", 0.0)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float) -> None:
    assert _retry_after(text, datetime(2026, 1, 31, 9, 30, tzinfo=UTC)) == seconds


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_stops_at_once_and_says_how_to_get_one(
    service: FakeGoszakup, tmp_path: Path, status: int
) -> None:
    service.faults["/v3/lots"].append(Reply(status, b"{}"))
    with pytest.raises(CredentialsRefused) as refused:
        ask(service, tmp_path)
    assert refused.value.code == 2
    assert "Выпуск токена" in str(refused.value)
    assert "SAUDA_GOSZAKUP_TOKEN" in str(refused.value)
    assert TOKEN not in str(refused.value)
    assert len(service.requests) == 1


def test_what_is_not_there_is_noted(service: FakeGoszakup, tmp_path: Path) -> None:
    answer, counts, _ = ask(service, tmp_path, "/v3/lots/7", check=read_object)
    assert answer.read is None
    assert (counts.not_found, counts.retries, counts.pages) == (1, 0, 0)


@pytest.mark.parametrize("status", [302, 400, 405])
def test_other_answers_are_not_asked_again(service: FakeGoszakup, tmp_path: Path, status: int) -> None:
    service.faults["/v3/lots"].append(Reply(status, headers={"Location": "http://evil.example/"}))
    with pytest.raises(NoAnswer, match=f"answered with the status {status}"):
        ask(service, tmp_path)
    assert len(service.requests) == 1


@pytest.mark.parametrize("token", ["", "  \n"])
def test_without_a_token_nothing_is_asked(tmp_path: Path, token: str) -> None:
    with pytest.raises(Unreadable, match=r"There is no token for goszakup. Make one in your account"):
        goszakup_client(ProcurementSettings(home=tmp_path, goszakup_token=token))


def test_a_token_that_no_header_can_carry_is_refused_unseen(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="has signs that no token has") as refused:
        goszakup_client(ProcurementSettings(home=tmp_path, goszakup_token="secret\nHost: x"))
    assert "secret" not in str(refused.value)


def test_the_token_may_lie_in_a_file(service: FakeGoszakup, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert len(ask(service, tmp_path, goszakup_token=None, goszakup_token_file=file)[0].read.items) == 10
    with pytest.raises(Unreadable, match="cannot be read"):
        ask(service, tmp_path, goszakup_token=None, goszakup_token_file=tmp_path / "none")


def test_certificates_are_checked_and_a_bundle_may_be_named(tmp_path: Path) -> None:
    client = goszakup_client(ProcurementSettings(home=tmp_path, goszakup_token="x"))
    context = client._http._transport._pool._ssl_context  # type: ignore[attr-defined]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    wrong = tmp_path / "bundle.pem"
    wrong.write_text("no certificate")
    for bundle in (wrong, tmp_path / "none.pem"):
        with pytest.raises(Unreadable, match=r"SAUDA_GOSZAKUP_CA_BUNDLE=.* cannot be read as certificates"):
            goszakup_client(ProcurementSettings(home=tmp_path, goszakup_token="x", goszakup_ca_bundle=bundle))


def test_no_more_requests_are_under_way_than_allowed(tmp_path: Path) -> None:
    under_way, most = 0, 0

    async def handler(_request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        under_way -= 1
        return httpx.Response(200, content=b'{"items":[]}')

    async def many() -> None:
        settings = chosen(tmp_path, "http://127.0.0.1:1", goszakup_concurrency=3)
        async with goszakup_client(settings, transport=httpx.MockTransport(handler)) as client:
            await asyncio.gather(*(client.get("/v3/lots", read_page, RequestCounts()) for _ in range(20)))

    asyncio.run(many())
    assert most == 3
