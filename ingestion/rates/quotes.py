"""A published rate as an event, and what holds already.

A rate that holds as it stands is not sent again. One that changed is, with an id of its content and of the event that
held before it: so the same correction sent twice is one event, and a rate that changes back is a third version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import orjson

from conf import Settings
from conf.connect import clickhouse
from ingestion.core.message import Message, cloud_event, instant
from ingestion.core.publish import Say
from schemas.rates import EXCHANGE_RATE, TOPIC

LATEST = """
SELECT toString(base_currency_code), toString(currency_code), quoted_on, toString(rate), toString(quantity), event_id
FROM silver.exchange_rates_latest
WHERE quoted_on BETWEEN {first:Date32} AND {last:Date32}
"""


class Key(NamedTuple):
    base: str
    currency: str
    day: date


@dataclass(frozen=True)
class Quote:
    """What `quantity` units of a currency cost in the base on a day, as it was written; `source` says where."""

    base: str
    currency: str
    day: date
    rate: str
    quantity: str
    source: str

    @property
    def key(self) -> Key:
        return Key(self.base, self.currency, self.day)


class HeldQuotes(NamedTuple):
    """What holds of a day: its rate, and the event that said so."""

    rate: str
    quantity: str
    event_id: str


class Quotes:
    """The quotes as events of the topic. `held` is what holds already."""

    topic = TOPIC
    again = "Running it again completes the rest and doubles nothing."

    def __init__(self, quotes: Iterable[Quote], held: dict[Key, HeldQuotes], now: datetime) -> None:
        every = list(quotes)
        self._now = now
        self._changed = [(quote, held.get(quote.key)) for quote in every if not _is_same(quote, held.get(quote.key))]
        self.unchanged = len(every) - len(self._changed)
        self._days = sorted({quote.day for quote in every})

    @property
    def total(self) -> int:
        return len(self._changed)

    def messages(self) -> Iterator[Message]:
        """One event a rate that is new or has changed."""
        for quote, before in self._changed:
            yield message(quote, before.event_id if before else "", self._now)

    def figures(self) -> dict[str, int]:
        return {"rates": len(self._changed) + self.unchanged, "unchanged": self.unchanged, "days": len(self._days)}

    def closing(self) -> str:
        """What the summary adds."""
        if not self._days:
            return "No rate was published."
        span = f"{self._days[0]} to {self._days[-1]}"
        same = f"; {self.unchanged:,} hold as they stand" if self.unchanged else ""
        days = f"{len(self._days):,} day{'s' * (len(self._days) > 1)}"
        return f"Rates of {days}, {span}{same}. Gold has them after ./start.sh job purchases."


def message(quote: Quote, before: str, now: datetime) -> Message:
    """The event of a rate that follows another, or none."""
    content = "|".join((*map(str, quote.key), _plain(quote.rate), _plain(quote.quantity), before))
    event_id = f"rate-{hashlib.sha256(content.encode()).hexdigest()[:32]}"
    value = {
        "base_currency_code": quote.base, "currency_code": quote.currency, "quoted_on": quote.day.isoformat(),
        "rate": quote.rate, "quantity": quote.quantity, "source": quote.source,
    }  # fmt: skip
    headers = cloud_event(event_id, EXCHANGE_RATE, quote.source, instant(now))
    return Message(event_id, quote.currency.encode(), orjson.dumps(value), headers)


def held(settings: Settings, quotes: Iterable[Quote], say: Say) -> dict[Key, HeldQuotes]:
    """What ClickHouse has of these days; nothing, with a sentence, where it does not answer: then all are sent."""
    from clickhouse_connect.driver.exceptions import ClickHouseError

    days = [quote.day for quote in quotes]
    if not days:
        return {}
    try:
        client = clickhouse(settings, reader=True)
        try:
            rows = client.query(LATEST, parameters={"first": min(days), "last": max(days)}).result_rows
        finally:
            client.close()
    except (ClickHouseError, OSError):
        say("ClickHouse does not say which rates hold already, so all are sent; those it has count once.")
        return {}
    return {
        Key(base, code, day): HeldQuotes(rate, quantity, event_id) for base, code, day, rate, quantity, event_id in rows
    }


def _is_same(quote: Quote, held: HeldQuotes | None) -> bool:
    wanted = (_plain(quote.rate), _plain(quote.quantity))
    return held is not None and wanted == (_plain(held.rate), _plain(held.quantity))


def _plain(number: str) -> str:
    """A number by its value: 510.50 and 510.5 are one. What is no number stays as it is."""
    try:
        return f"{Decimal(number).normalize():f}"
    except InvalidOperation:
        return number
