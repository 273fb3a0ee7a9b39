from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from conf import Settings
from ingestion.errors import Unreadable
from ingestion.procurement.client import ATTEMPTS, Answer, Client, Counts, NoAnswer, TokenRefused, Useless, _retry_after
from ingestion.procurement.limiter import Limiter
from ingestion.procurement.pages import Page, read_object, read_page
from tests.ingestion.procurement.fakes import TOKEN, FakeGoszakup, Reply, chosen, rows, serving


@pytest.fixture
def service() -> Iterator[FakeGoszakup]:
    with serving(FakeGoszakup()) as fake:
        fake.put("/v3/lots", rows(30, 30))
        yield fake


class Slept:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def ask(
    service: FakeGoszakup, folder: Path, address: str = "/v3/lots?limit=10", limiter: Limiter | None = None,
    check: Any = read_page, **more: Any,
) -> tuple[Answer, Counts, Slept]:  # fmt: skip
    counts, slept = Counts(), Slept()

    async def once() -> Answer:
        async with Client(chosen(folder, service.url, **more), limiter=limiter, sleep=slept) as client:
            return await client.get(address, check, counts)

    return asyncio.run(once()), counts, slept


def test_an_answer_is_read_and_counted(service: FakeGoszakup, tmp_path: Path) -> None:
    answer, counts, slept = ask(service, tmp_path)
    assert isinstance(answer.read, Page)
    assert (len(answer.read.items), answer.read.next_page) == (10, "/v3/lots?page=next&search_after=21")
    assert (counts.pages, counts.retries, slept.seconds) == (1, 0, [])
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
    answer, counts, slept = ask(service, tmp_path)
    assert len(answer.read.items) == 10
    assert (counts.retries, len(slept.seconds), counts.pages) == (2, 2, 1)


def test_the_waits_differ_and_stay_in_bounds(service: FakeGoszakup, tmp_path: Path) -> None:
    service.faults["/v3/lots"].extend([Reply(500)] * (ATTEMPTS - 1))
    _, _, slept = ask(service, tmp_path)
    assert len(set(slept.seconds)) == ATTEMPTS - 1
    assert all(0 <= seconds <= 2 ** (number + 1) for number, seconds in enumerate(slept.seconds))


def test_faults_that_stay_end_with_a_sentence(service: FakeGoszakup, tmp_path: Path) -> None:
    service.faults["/v3/lots"].extend([Reply(502)] * ATTEMPTS)
    with pytest.raises(NoAnswer, match=r"/v3/lots\?limit=10 failed 6 times, the last time so: status 502"):
        ask(service, tmp_path)


def test_a_body_that_stays_damaged_is_handed_back_for_quarantine(service: FakeGoszakup, tmp_path: Path) -> None:
    service.faults["/v3/lots"].extend([Reply(200, b"<html>no</html>")] * ATTEMPTS)
    with pytest.raises(Useless) as given:
        ask(service, tmp_path)
    assert (given.value.body, given.value.url) == (b"<html>no</html>", f"{service.url}/v3/lots?limit=10")
    assert "web page" in given.value.reason


def test_silence_is_asked_again(tmp_path: Path) -> None:
    asked = []

    async def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if len(asked) == 1:
            raise httpx.ReadTimeout("silence")
        return httpx.Response(200, content=b'{"items":[]}')

    limiter, slept = Limiter(1_000), Slept()

    async def once() -> Answer:
        settings = chosen(tmp_path, "http://127.0.0.1:1")
        transport = httpx.MockTransport(handler)
        async with Client(settings, limiter=limiter, transport=transport, sleep=slept) as client:
            return await client.get("/v3/lots", read_page, Counts())

    assert asyncio.run(once()).read.items == []
    assert (len(asked), limiter.rate) == (2, pytest.approx(850))
    assert asked[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_the_services_complaints_slow_all_down(service: FakeGoszakup, tmp_path: Path) -> None:
    limiter = Limiter(1_000)
    service.faults["/v3/lots"].extend([Reply(429), Reply(500)])
    ask(service, tmp_path, limiter=limiter)
    assert limiter.rate == pytest.approx(1_000 * 0.7 * 0.85)


def test_retry_after_is_obeyed_by_all(service: FakeGoszakup, tmp_path: Path) -> None:
    now, waited = [0.0], Slept()

    async def sleep(seconds: float) -> None:
        await waited(seconds)
        now[0] += seconds

    limiter = Limiter(1_000, lambda: now[0], sleep)
    service.faults["/v3/lots"].append(Reply(429, headers={"Retry-After": "17"}))
    ask(service, tmp_path, limiter=limiter)
    assert sum(waited.seconds) == pytest.approx(17)


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
    with pytest.raises(TokenRefused) as refused:
        ask(service, tmp_path)
    assert refused.value.code == 2
    assert "Выпуск токена" in str(refused.value)
    assert "SAUDA_GOSZAKUP_TOKEN" in str(refused.value)
    assert TOKEN not in str(refused.value)
    assert len(service.asked) == 1


def test_what_is_not_there_is_noted(service: FakeGoszakup, tmp_path: Path) -> None:
    answer, counts, _ = ask(service, tmp_path, "/v3/lots/7", check=read_object)
    assert answer.read is None
    assert (counts.not_found, counts.retries, counts.pages) == (1, 0, 0)


@pytest.mark.parametrize("status", [302, 400, 405])
def test_other_answers_are_not_asked_again(service: FakeGoszakup, tmp_path: Path, status: int) -> None:
    service.faults["/v3/lots"].append(Reply(status, headers={"Location": "http://evil.example/"}))
    with pytest.raises(NoAnswer, match=f"answered with the status {status}"):
        ask(service, tmp_path)
    assert len(service.asked) == 1


@pytest.mark.parametrize("token", ["", "  \n"])
def test_without_a_token_nothing_is_asked(tmp_path: Path, token: str) -> None:
    with pytest.raises(Unreadable, match=r"There is no token for goszakup. Make one in your account"):
        Client(Settings(home=tmp_path, goszakup_token=token))


def test_a_token_that_no_header_can_carry_is_refused_unseen(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="has signs that no token has") as refused:
        Client(Settings(home=tmp_path, goszakup_token="secret\nHost: x"))
    assert "secret" not in str(refused.value)


def test_the_token_may_lie_in_a_file(service: FakeGoszakup, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert len(ask(service, tmp_path, goszakup_token=None, goszakup_token_file=file)[0].read.items) == 10
    with pytest.raises(Unreadable, match="cannot be read"):
        ask(service, tmp_path, goszakup_token=None, goszakup_token_file=tmp_path / "none")


def test_certificates_are_checked_and_a_bundle_may_be_named(tmp_path: Path) -> None:
    client = Client(Settings(home=tmp_path, goszakup_token="x"))
    context = client._http._transport._pool._ssl_context  # type: ignore[attr-defined]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    wrong = tmp_path / "bundle.pem"
    wrong.write_text("no certificate")
    for bundle in (wrong, tmp_path / "none.pem"):
        with pytest.raises(Unreadable, match=r"SAUDA_GOSZAKUP_CA_BUNDLE=.* cannot be read as certificates"):
            Client(Settings(home=tmp_path, goszakup_token="x", goszakup_ca_bundle=bundle))


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
        async with Client(settings, transport=httpx.MockTransport(handler)) as client:
            await asyncio.gather(*(client.get("/v3/lots", read_page, Counts()) for _ in range(20)))

    asyncio.run(many())
    assert most == 3
