"""Exchange rates from the bank's documents and from files, to the events that are sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from tenacity import wait_none

from ingestion.core.errors import IngestError, Unreadable
from ingestion.core.run import main
from ingestion.rates import file, nbk
from ingestion.rates.quotes import HeldQuotes, Key, Quote, Quotes, message
from standins.rates import document
from tests.ingestion.fakes import FakeBroker

NOW = datetime(2026, 1, 6, 12, tzinfo=UTC)
DAY = date(2026, 1, 5)
# As nationalbank.kz writes it.
DOCUMENT = """<?xml version="1.0" encoding="utf-8"?>
<rates><generator>Alternate RSS Builder</generator><title>Official exchange rates of National Bank of Republic
Kazakhstan</title><link>www.nationalbank.kz</link><date>05.01.2026</date>
<item><fullname>ДОЛЛАР США</fullname><title>USD</title><description>510.25</description><quant>1</quant>
<index>UP</index><change>+0.35</change></item>
<item><fullname>УЗБЕКСКИХ СУМОВ</fullname><title>UZS</title><description>4,25</description><quant>100</quant></item>
</rates>"""


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nbk, "wait_random_exponential", lambda *_: wait_none())


@pytest.fixture
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (file, nbk):
        monkeypatch.setattr(module, "held", lambda *_: {})


def client(*answers: httpx.Response | Exception) -> httpx.Client:
    answer_list: Iterator[httpx.Response | Exception] = iter(answers)

    def handle(_: httpx.Request) -> httpx.Response:
        answer = next(answer_list)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return httpx.Client(transport=httpx.MockTransport(handle))


def test_a_document_of_the_bank_is_read() -> None:
    assert nbk.parse(DOCUMENT.encode(), DAY, "s") == [
        Quote("KZT", "USD", DAY, "510.25", "1", "s"),
        Quote("KZT", "UZS", DAY, "4.25", "100", "s"),
    ]


def test_the_documents_own_day_counts() -> None:
    """For a day that has no rates yet the bank may answer with those of another."""
    assert {quote.day for quote in nbk.parse(DOCUMENT.encode(), date(2026, 1, 6), "s")} == {DAY}


def test_a_day_without_rates_is_no_fault() -> None:
    assert nbk.parse(b"<rates><date>03.01.2026</date></rates>", date(2026, 1, 3), "s") == []


@pytest.mark.parametrize(
    "body", ["<html><body>Maintenance</body></html>", "", '<!DOCTYPE r [<!ENTITY a "b">]><rates>&a;</rates>', "<rates>"]
)
def test_what_is_no_document_is_asked_for_again_and_then_named(body: str) -> None:
    answers = [httpx.Response(200, text=body)] * nbk.TRIES

    with pytest.raises(IngestError, match=r"fdate=05.01.2026 gives no rates: it.*The last known ones hold"):
        nbk.fetch(client(*answers), "http://bank/rates", DAY, "s")


def test_a_fault_of_the_service_is_asked_again() -> None:
    answers = [httpx.ConnectError("no"), httpx.Response(503), httpx.Response(200, text=DOCUMENT)]

    assert len(nbk.fetch(client(*answers), "http://bank/rates", DAY, "s")) == 2


def events(quotes: list[Quote], held: dict[Key, HeldQuotes]) -> list[str]:
    return [each.event_id for each in Quotes(quotes, held, NOW).messages()]


def test_what_holds_is_not_sent_again_and_what_changes_back_is() -> None:
    first = Quote("KZT", "USD", DAY, "510.25", "1", "a.csv:2")
    (one,) = events([first], {})
    assert events([first], {}) == [one]
    assert events([first], {first.key: HeldQuotes("510.250000", "1", one)}) == []

    second = Quote("KZT", "USD", DAY, "511", "1", "a.csv:2")
    (two,) = events([second], {first.key: HeldQuotes("510.25", "1", one)})
    (three,) = events([first], {first.key: HeldQuotes("511", "1", two)})
    assert len({one, two, three}) == 3


def test_the_event_says_it_exactly() -> None:
    sent = message(Quote("KZT", "UZS", DAY, "4.25", "100", "a.csv:3"), "", NOW)

    headers = dict(sent.headers)
    assert (headers["ce_type"], headers["ce_time"]) == (b"sauda.rates.exchange_rate", b"2026-01-06T12:00:00Z")
    assert sent.value == (
        b'{"base_currency_code":"KZT","currency_code":"UZS","quoted_on":"2026-01-05","rate":"4.25","quantity":"100",'
        b'"source":"a.csv:3"}'
    )


def written(folder: Path, text: str) -> Path:
    path = folder / "rates.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    ["date,currency,rate,quantity,base\n2026-01-05,USD,510.25,1,KZT\n2026-01-05,UZS,4.25,100,KZT\n",
     "Date;Code;Nominal;Value\n05.01.2026;usd;;510,25\n05.01.2026;uzs;100;4,25\n",
     "\ufeffquoted_on\tcurrency_code\trate\tquantity\n2026-01-05\tUSD\t510.25\t\n\n2026-01-05\tUZS\t4.25\t100\n"
     "2026-01-05\tUZS\t4.25\t100\n"],
    ids=["commas", "semicolons", "tabs"],
)  # fmt: skip
def test_files_are_read_as_people_write_them(tmp_path: Path, text: str) -> None:
    actual = file.quotes(written(tmp_path, text), base="KZT", encoding="utf-8")

    assert [(q.base, q.currency, q.day, q.rate, q.quantity) for q in actual] == [
        ("KZT", "USD", DAY, "510.25", "1"), ("KZT", "UZS", DAY, "4.25", "100"),
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_file_as_excel_writes_it_is_read_without_naming_anything(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rates.csv"
    path.write_bytes("sep=;\r\nDate;Currency;Rate\r\n05.01.2026;USD;510,25\r\n".encode(encoding))

    (quote,) = file.quotes(path, base="KZT", encoding="")
    assert (quote.currency, quote.day, quote.rate) == ("USD", DAY, "510.25")


def test_an_encoding_that_is_none_is_named(tmp_path: Path) -> None:
    result = run("rates.file", written(tmp_path, "date,currency,rate\n"), "--encoding", "klingon", broker=FakeBroker())

    assert result.exit_code == 2
    assert "--encoding klingon: no encoding is called so" in result.stderr


@pytest.mark.parametrize(
    ("row", "sentence"),
    [("2026-01-05,USD,abc", "line 3: rate must be a number above zero"),
     ("2026-01-05,USD,0.00", "line 3: rate must be a number above zero"),
     ("2026-01-05,USD,-5", "line 3: rate must be a number above zero"),
     ("2026-01-05,USD,5.1E2", "line 3: rate must be a number above zero"),
     ("05/01/2026,USD,5", "line 3: the date '05/01/2026' is neither like 2026-01-31"),
     ("2026-02-30,USD,5", "line 3: the date '2026-02-30' is neither"),
     ("2026-01-05,US,5", "line 3: 'US' is no currency code"),
     ("2026-01-05,KZT,5", "line 3: KZT has a rate to itself"),
     ("2026-01-05,EUR,5", "line 3: EUR of 2026-01-05 has another rate in line 2"),
     ("2026-01-05", "line 3: '' is no currency code")],
)  # fmt: skip
def test_a_file_with_one_wrong_line_is_refused_whole(tmp_path: Path, row: str, sentence: str) -> None:
    path = written(tmp_path, f"date,currency,rate\n2026-01-05,EUR,600\n{row}\n")

    with pytest.raises(Unreadable) as refused:
        file.quotes(path, base="KZT", encoding="utf-8")
    assert sentence in str(refused.value)


@pytest.mark.parametrize(("text", "sentence"), [
    ("when,code,rate\n1,2,3\n", "lacks the column date; its header has when, code, rate"),
    ("date,currency,rate\n", "has no rates below its header"),
])  # fmt: skip
def test_a_file_of_another_kind_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        file.quotes(written(tmp_path, text), base="KZT", encoding="utf-8")


def run(*arguments: object, broker: FakeBroker) -> Result:
    def connect(*_: Any) -> FakeBroker:
        return broker

    return CliRunner().invoke(main, [str(a) for a in arguments], obj=connect)


@pytest.mark.usefixtures("nothing_held")
def test_the_command_sends_a_file(tmp_path: Path) -> None:
    broker = FakeBroker()
    result = run("rates.file", written(tmp_path, "date,currency,rate\n2026-01-05,EUR,600\n"), broker=broker)

    assert result.exit_code == 0, result.output
    assert "Rates of 1 day, 2026-01-05 to 2026-01-05." in result.stdout
    assert [record.body["base_currency_code"] for record in broker.stored] == ["KZT"]


@pytest.mark.usefixtures("nothing_held")
def test_the_command_asks_for_each_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        nbk, "fetch", lambda _, __, day, source: nbk.parse(document.document(f"{day:%d.%m.%Y}").encode(), day, source)
    )
    broker = FakeBroker()
    result = run("rates.nbk", "--since", "2026-01-02", "--until", "2026-01-05", broker=broker)

    # Friday to Monday: the stand-in publishes on working days.
    assert result.exit_code == 0, result.output
    assert {record.body["quoted_on"] for record in broker.stored} == {"2026-01-02", "2026-01-05"}
    assert len(broker.stored) == 2 * len(document.CENTRES)


def test_days_to_come_are_refused() -> None:
    result = run("rates.nbk", "--since", "2026-01-02", "--until", "2999-01-05", broker=FakeBroker())

    assert result.exit_code == 2
    assert "the days must go from 1999-01-01 on" in result.stderr


def test_the_stand_ins_rates_are_always_the_same() -> None:
    assert document.rate("USD", DAY) == document.rate("USD", DAY)
    assert 480 < document.rate("USD", DAY) < 540
    with pytest.raises(ValueError, match="does not match"):
        document.document("2026-01-05")
