from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

import orjson
import pytest

from ingestion.core.message import Message
from schemas.common.currencies import CURRENCIES
from schemas.contract import find
from standins.world.faults import OVERSIZED, POISONS, Faults, poisoned
from standins.world.simulator import events, single_line_events
from standins.world.world import make_world, planted, spread

UNTIL = datetime(2026, 1, 31, 12, tzinfo=UTC)
WORLD = make_world(7, until=UNTIL)


def body(message: Message) -> dict[str, Any]:
    return dict(orjson.loads(message.value or b""))


def amount(purchase: dict[str, Any]) -> Decimal:
    return sum((Decimal(str(line["unit_price"])) * line["quantity"] for line in purchase["lines"]), Decimal(0))


def test_the_same_seed_and_run_give_the_same_bytes() -> None:
    faults = Faults(UNTIL, duplicates=0.05, poison=0.05)
    again = make_world(7, until=UNTIL)
    assert list(events(WORLD, 500, faults=faults)) == list(events(again, 500, faults=faults))
    other = [m.value for m in events(make_world(8, until=UNTIL), 500)]
    assert other != [m.value for m in events(WORLD, 500)]


def test_only_an_equal_seed_and_run_share_ids() -> None:
    ids = {m.event_id for m in events(WORLD, 50, run_id="a")}
    assert len(ids) == 50
    assert not ids & {m.event_id for m in events(WORLD, 50, run_id="b")}
    assert not ids & {m.event_id for m in events(make_world(8, until=UNTIL), 50, run_id="a")}


def test_purchases_come_in_order_inside_the_period_with_the_week_and_the_day_in_them() -> None:
    times = [datetime.fromisoformat(body(m)["purchased_at"]) for m in events(WORLD, 6_000)]
    assert times == sorted(times)
    assert WORLD.since == datetime(2025, 12, 2, tzinfo=UTC)
    assert WORLD.since <= times[0]
    assert times[-1] < UNTIL
    local = [at + timedelta(hours=5) for at in times]
    weekdays = Counter(at.weekday() for at in local)
    assert weekdays[5] > 1.15 * weekdays[1]
    hours = Counter(at.hour for at in local)
    assert hours[19] > 10 * hours[4]


@pytest.mark.parametrize("n", [0, 1, 7, 5_000])
def test_spreading_keeps_the_number(n: int) -> None:
    assert sum(count for _, _, count in spread(WORLD, n)) == n
    assert len(list(events(WORLD, n))) == n


def test_amounts_are_exact_whether_prices_are_texts_or_numbers() -> None:
    kinds: set[type] = set()
    for message in events(WORLD, 800):
        purchase = body(message)
        assert message.amount == amount(purchase)
        assert message.lines == len(purchase["lines"])
        kinds |= {type(line["unit_price"]) for line in purchase["lines"]}
    assert kinds == {str, float}


def test_the_world_has_returns_strangers_and_several_currencies() -> None:
    purchases = [body(m) for m in events(WORLD, 5_000)]
    returns = [p for p in purchases if p["lines"][0]["quantity"] < 0]
    assert 0.02 < len(returns) / 5_000 < 0.04
    assert all(Decimal(str(line["unit_price"])) > 0 for p in purchases for line in p["lines"])
    assert 0.15 < sum("customer_id" not in p for p in purchases) / 5_000 < 0.3
    currencies = Counter(p["currency_code"] for p in purchases)
    assert currencies.keys() <= set(CURRENCIES)
    assert len(currencies) == 5
    assert currencies["KZT"] > 4_000
    assert len({p["seller_id"] for p in purchases}) == 12


def daily(seller_id: str) -> dict[date, Decimal]:
    revenue: dict[date, Decimal] = defaultdict(Decimal)
    for purchase in map(body, events(WORLD, 5_000)):
        if purchase["seller_id"] == seller_id and purchase["lines"][0]["quantity"] > 0:
            revenue[datetime.fromisoformat(purchase["purchased_at"]).date()] += amount(purchase)
    revenue.pop(UNTIL.date())
    return {WORLD.since.date() + timedelta(days=i): revenue[WORLD.since.date() + timedelta(days=i)] for i in range(60)}


def robust_z(series: dict[date, Decimal], day: date) -> float:
    values = [float(v) for v in series.values()]
    middle = median(values)
    return (float(series[day]) - middle) / (1.4826 * median(abs(v - middle) for v in values))


def test_the_planted_spike_and_slump_stand_out_and_are_told() -> None:
    spike, slump = WORLD.planted
    assert (spike.kind, slump.kind) == ("spike", "slump")
    assert spike.sold_on != slump.sold_on
    high, low = daily(spike.seller_id), daily(slump.seller_id)
    assert robust_z(high, spike.sold_on) > 6
    assert high[spike.sold_on] == max(high.values())
    assert robust_z(low, slump.sold_on) < -2
    assert low[slump.sold_on] == min(low.values())
    assert planted(7, until=UNTIL) == WORLD.planted
    assert planted(7, until=UNTIL, days=20) == ()


def test_second_copies_follow_their_events_and_are_equal_to_them() -> None:
    messages = list(events(WORLD, 2_000, faults=Faults(UNTIL, duplicates=0.05)))
    first = {m.event_id: (at, m) for at, m in reversed(list(enumerate(messages)))}
    copies = [(at, m) for at, m in enumerate(messages) if m.kind == "duplicate"]
    assert 60 < len(copies) < 140
    assert len(messages) == 2_000 + len(copies)
    for at, copy in copies:
        earlier, original = first[copy.event_id]
        assert earlier < at
        assert (copy.value, copy.headers, copy.key) == (original.value, original.headers, original.key)


def test_poison_leaves_the_rest_of_the_stream_as_it_was() -> None:
    good = {m.event_id: m for m in events(WORLD, 1_000)}
    mixed = list(events(WORLD, 1_000, faults=Faults(UNTIL, poison=0.1, oversized=1)))
    assert len(mixed) == 1_000
    assert all(m == good[m.event_id] for m in mixed if m.kind == "ok")
    bad = [m for m in mixed if m.kind == "poison"]
    assert {m.expected_rule for m in bad} == {p.rule for p in (*POISONS, OVERSIZED)}
    assert all(m.amount == 0 and m.lines == 0 for m in bad)
    assert [len(m.value or b"") > 5_000_000 for m in bad].count(True) == 1


@pytest.mark.parametrize("poison", [*POISONS, OVERSIZED], ids=lambda p: p.name)
def test_each_poison_breaks_the_rule_it_is_labelled_with(poison: Any) -> None:
    """The label against the contract, in Python; that the stream says the same is for the tests of streaming."""
    good = next(m for m in events(WORLD, 50) if m.lines > 1)
    bad = poisoned(good, poison, UNTIL)
    assert (bad.event_id, bad.key, bad.headers, bad.kind) == (good.event_id, good.key, good.headers, "poison")
    assert bad.value != good.value
    event = find("event.purchase")
    place, _, rule = poison.rule.rpartition(".")
    if place == "record":
        assert rule == _record_rule(bad.value, event.max_bytes)
        return
    text = (bad.value or b"").replace(b":NaN", b':"NaN"')
    purchase = orjson.loads(text)
    contract, holder = event, purchase
    if place == "lines" and rule == "price_of_a_sale":
        line = purchase["lines"][-1]
        assert line["quantity"] > 0
        assert Decimal(line["unit_price"]) <= 0
        return
    if place.startswith("lines."):
        items = event.column("lines").items
        assert items is not None
        contract, holder = items, purchase["lines"][-1]
    column = contract.column(place.rpartition(".")[2])
    actual = holder.get(str(column))
    if rule == "required":
        assert actual is None
    elif rule == "type":
        readable = (
            datetime.fromisoformat if column.type.name == "INSTANT" else int if column.type.name == "COUNT" else float
        )
        assert isinstance(actual, float) or actual == "NaN" or not _reads(readable, actual)
    elif rule == "not_ahead_of":
        assert datetime.fromisoformat(actual) > UNTIL + timedelta(hours=24)
    elif rule == "since":
        assert datetime.fromisoformat(actual) < datetime(2000, 1, 1, tzinfo=UTC)
    else:
        (broken,) = [r for r in column.rules if r.name.partition("(")[0] == rule]
        assert not broken.holds(actual)


def _record_rule(value: bytes | None, max_bytes: int) -> str:
    if value is None:
        return "tombstone"
    if len(value) > max_bytes:
        return "oversized"
    try:
        value.decode()
    except UnicodeDecodeError:
        return "utf8"
    return "" if _reads(lambda v: dict(orjson.loads(v)), value) else "json"


def _reads(how: Any, value: Any) -> bool:
    try:
        how(value)
    except ValueError:
        return False
    return True


def test_single_lines_are_purchases_of_about_250_bytes() -> None:
    messages = list(single_line_events(2_000, 3))
    assert len({m.event_id for m in messages}) == 2_000
    assert messages == list(single_line_events(2_000, 3))
    for message in messages[:200]:
        purchase = body(message)
        assert len(purchase["lines"]) == message.lines == 1
        assert message.amount == amount(purchase)
        assert dict(message.headers)["ce_time"].decode() == purchase["purchased_at"]
    assert 220 < sum(len(m.value or b"") for m in messages) / 2_000 < 290


def test_single_lines_can_have_faults_too() -> None:
    mixed = list(events(WORLD, 2_000, single_line=True, faults=Faults(UNTIL, duplicates=0.01, poison=0.02)))
    kinds = Counter(m.kind for m in mixed)
    assert kinds["ok"] + kinds["poison"] == 2_000
    assert kinds["poison"] > 20
    assert kinds["duplicate"] > 10


def test_a_world_needs_a_day_and_a_zone() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        make_world(7, until=UNTIL, days=0)
    with pytest.raises(ValueError, match="zone"):
        make_world(7, until=UNTIL.replace(tzinfo=None))
