"""The official rates of the National Bank of Kazakhstan, which it publishes as XML, a document a day.

``https://nationalbank.kz/rss/get_rates.cfm?fdate=05.01.2026``: the day in `date`, and an `item` a currency, whose
`title` is its code and whose `description` is what `quant` units cost in tenge. A day without rates has no item.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from xml.etree import ElementTree

import click
import httpx
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from conf.domains.rates import RatesSettings
from ingestion.core.errors import IngestError, Unreadable
from ingestion.core.registry import RunContext, Source
from ingestion.rates.quotes import Quote, Quotes, held
from schemas.rates import STAND_IN

NAME = "rates.nbk"
BASE = "KZT"
ZONE = timezone(timedelta(hours=5))
"""Kazakhstan's clock: the bank's days are its own."""
DAYS = 10
"""Days before today that are asked for where none is named: longer than any row of holidays."""
MOST_DAYS = 4_000
TRIES, LONGEST_WAIT, MOST_BYTES = 5, 20.0, 2_000_000
FIRST_DAY = date(1999, 1, 1)


class _Again(Exception):
    """An answer that may be better another time."""


def parse(body: bytes, day_asked: date, source: str) -> list[Quote]:
    """The rates of a document; its own day counts. Raises ValueError, saying why, for what is no such document.

    A rate that cannot be read stays as it is written: the stream refuses it, with the reason.
    """
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise ValueError("it declares entities, which rates have no use for")
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as problem:
        raise ValueError(f"it is no XML ({problem})") from None
    if root.tag != "rates":
        raise ValueError(f"its root is {root.tag[:40]!r}, where 'rates' was expected")
    day = _day(root.findtext("date", ""), day_asked)
    quotes = {}
    for item in root.iter("item"):
        code = item.findtext("title", "").strip().upper()
        rate, quantity = (_number(item.findtext(name, "")) for name in ("description", "quant"))
        quotes[code] = Quote(BASE, code, day, rate, quantity or "1", source)
    return list(quotes.values())


def _day(text: str, day_asked: date) -> date:
    try:
        return datetime.strptime(text.strip(), "%d.%m.%Y").replace(tzinfo=UTC).date()
    except ValueError:
        return day_asked


def _number(text: str) -> str:
    return "".join(text.split()).replace(",", ".")


def fetch(client: httpx.Client, url: str, day: date, source: str) -> list[Quote]:
    """The rates of a day. Raises IngestError where the service does not answer, or answers with something else."""
    address = f"{url}?fdate={day:%d.%m.%Y}"
    attempts = Retrying(
        stop=stop_after_attempt(TRIES), wait=wait_random_exponential(0.5, LONGEST_WAIT),
        retry=retry_if_exception_type(_Again),
    )  # fmt: skip
    try:
        return attempts(_once, client, address, day, source)
    except RetryError as last:
        why = last.last_attempt.exception()
        raise IngestError(
            f"{address} gives no rates: {why}. The last known ones hold for SAUDA_RATE_DAYS days; run it again later."
        ) from None


def _once(client: httpx.Client, address: str, day: date, source: str) -> list[Quote]:
    try:
        answer = client.get(address)
    except httpx.HTTPError as problem:
        raise _Again(f"no answer ({type(problem).__name__})") from None
    if answer.status_code != 200:
        raise _Again(f"it answers {answer.status_code}")
    if len(answer.content) > MOST_BYTES:
        raise _Again(f"it answers with {len(answer.content):,} bytes")
    try:
        return parse(answer.content, day, source)
    except ValueError as problem:
        # A page of maintenance comes with 200 too.
        raise _Again(str(problem)) from None


def _open(context: RunContext, *, since: datetime | None, until: datetime | None, stand_in: bool) -> Quotes:
    settings = context.settings()
    chosen = RatesSettings.of(settings.at_standin() if stand_in else settings)
    today = context.now.astimezone(ZONE).date()
    last = until.date() if until else today
    first = since.date() if since else last - timedelta(days=DAYS)
    if not FIRST_DAY <= first <= last <= today + timedelta(days=1):
        raise Unreadable(f"--since {first} --until {last}: the days must go from {FIRST_DAY} on to {today} at most.")
    if (last - first).days > MOST_DAYS:
        raise Unreadable(f"{(last - first).days + 1:,} days are too many at once; {MOST_DAYS:,} are taken.")
    quotes = _collected(context, chosen, first, last, STAND_IN if stand_in else NAME)
    return Quotes(quotes, held(settings, quotes, context.say), context.now)


def _collected(context: RunContext, settings: RatesSettings, first: date, last: date, source: str) -> list[Quote]:
    by_key: dict[tuple[str, date], Quote] = {}
    with httpx.Client(timeout=settings.rates_timeout_seconds, follow_redirects=True) as client:
        for number in range((last - first).days + 1):
            if number and not number % 100:
                context.say(f"Rates of {number:,} days are here.")
            for quote in fetch(client, settings.rates_url, first + timedelta(days=number), source):
                by_key[quote.currency, quote.day] = quote
    return list(by_key.values())


SOURCE = Source(
    NAME,
    "Official exchange rates of the National Bank of Kazakhstan, in tenge.",
    (
        click.Option(
            ["--since"], type=click.DateTime(["%Y-%m-%d"]), help=f"From this day on.  [default: {DAYS} days before]"
        ),
        click.Option(["--until"], type=click.DateTime(["%Y-%m-%d"]), help="To this day.  [default: today]"),
        click.Option(["--stand-in"], is_flag=True, help="Ask the stand-in of this stack, whose rates are made up."),
    ),
    _open,
)
