"""Simulated purchases: the same seed, world and run id give the same events, byte for byte."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import Any

import orjson

from ingestion.core.message import Message, cloud_event, instant
from standins.world.faults import Faults, with_faults
from standins.world.world import SLUMP, SPIKE, Seller, World, make_world, spread

SOURCE_NAME = "simulator"
ANONYMOUS = 0.22
RETURNS = 0.03
LINES = (1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 8)
PIECES = (1, 1, 1, 1, 2, 2, 2, 3, 4, 6)
POOL = 4_096


def events(
    world: World, n: int, *, run_id: str = "run", single_line: bool = False, faults: Faults | None = None,
) -> Iterator[Message]:  # fmt: skip
    """`n` purchases in the order of their times; `faults` replaces some by poison and adds second copies of others.

    Event ids are ``{run_id}-{seed}-{number}``: two runs share none unless both are equal.
    """
    good = _single_lines(world, n, run_id) if single_line else _purchases(world, n, run_id)
    return with_faults(good, n, faults, world.seed) if faults else good


def single_line_events(
    n: int, seed: int = 7, *, run_id: str = "bench", until: datetime = datetime(2026, 1, 1, tzinfo=UTC), days: int = 60
) -> Iterator[Message]:
    """The fast way to many: purchases of one line, about 250 bytes, put together from parts encoded once."""
    return _single_lines(make_world(seed, until=until, days=days), n, run_id)


def _purchases(world: World, n: int, run_id: str) -> Iterator[Message]:
    random = Random(f"{world.seed}:purchases")
    draw = random.random
    cumulative = list(accumulate(s.weight for s in world.sellers))
    spikes = {(p.seller_id, p.sold_on) for p in world.planted if p.kind == "spike"}
    slumps = {(p.seller_id, p.sold_on) for p in world.planted if p.kind == "slump"}

    def choose(day: date) -> Seller:
        while True:
            seller = world.sellers[bisect(cumulative, draw() * cumulative[-1])]
            if (seller.seller_id, day) not in slumps or draw() < SLUMP:
                return seller

    number = 0
    for start, length, count in spread(world, n):
        for offset in sorted(draw() * length for _ in range(count)):
            moment = (start + timedelta(seconds=offset)).replace(microsecond=0)
            seller = choose(moment.date())
            is_return = draw() < RETURNS
            pieces = -1 if is_return else SPIKE if (seller.seller_id, moment.date()) in spikes else 1
            lines = [_line(world, seller, random, pieces) for _ in range(1 if is_return else random.choice(LINES))]
            purchase: dict[str, Any] = {
                "purchase_id": f"{run_id}-{number:07d}",
                "purchased_at": instant(moment),
                "seller_id": seller.seller_id,
                "currency_code": seller.currency_code,
                "lines": [line for line, _ in lines],
                "source": SOURCE_NAME,
            }
            if is_return or draw() >= ANONYMOUS:
                # The square makes a few customers come often and many seldom.
                purchase["customer_id"] = world.customers[int(draw() ** 2 * len(world.customers))]
            event_id = f"{run_id}-{world.seed}-{number}"
            yield Message(
                event_id,
                event_id.encode(),
                orjson.dumps(purchase),
                cloud_event(event_id, "purchase", f"{SOURCE_NAME}:{run_id}", purchase["purchased_at"]),
                amount=sum((amount for _, amount in lines), Decimal(0)),
                lines=len(lines),
            )
            number += 1


def _line(world: World, seller: Seller, random: Random, pieces: int) -> tuple[dict[str, Any], Decimal]:
    product = world.products[int(random.random() ** 1.5 * len(world.products))]
    price = world.prices[seller.currency_code, product.product_id]
    quantity = random.choice(PIECES) * pieces
    line = {
        "product_id": product.product_id,
        "description": product.description,
        "quantity": quantity,
        # The shortest text of a double with so few digits is the decimal itself.
        "unit_price": str(price) if seller.writes_text else float(price),
    }
    return line, price * quantity


def _single_lines(world: World, n: int, run_id: str) -> Iterator[Message]:
    random = Random(f"{world.seed}:single")
    draw = random.random
    tails: list[tuple[bytes, Decimal]] = []
    sellers = random.choices(world.sellers, weights=[s.weight for s in world.sellers], k=POOL)
    for seller in sellers:
        line, amount = _line(world, seller, random, 1)
        rest = {
            "seller_id": seller.seller_id, "currency_code": seller.currency_code, "lines": [line],
            "source": SOURCE_NAME,
        }  # fmt: skip
        tails.append((orjson.dumps(rest)[1:], amount))
    customers = [b'"customer_id":"%b",' % c.encode() for c in world.customers]
    customers += [b""] * int(len(customers) * ANONYMOUS)
    days = [(world.since + timedelta(days=i)).date().isoformat().encode() for i in range(world.days + 1)]
    clock = [b"T%02d:%02d:%02dZ" % (s // 3600, s // 60 % 60, s % 60) for s in range(86_400)]
    step = (world.until - world.since).total_seconds() / max(n, 1)
    kind, source = ("ce_type", b"purchase"), ("ce_source", f"{SOURCE_NAME}:{run_id}".encode())
    version, content = ("ce_specversion", b"1.0"), ("content-type", b"application/json")
    run, start = run_id.encode(), f"{run_id}-{world.seed}-"
    for number in range(n):
        day, second = divmod(int(number * step), 86_400)
        moment = days[day] + clock[second]
        tail, amount = tails[int(draw() * POOL)]
        event_id = f"{start}{number}"
        key = event_id.encode()
        yield Message(
            event_id,
            key,
            b'{"purchase_id":"%b-%07d","purchased_at":"%b",%b%b'
            % (run, number, moment, customers[int(draw() * len(customers))], tail),
            [("ce_id", key), kind, source, ("ce_time", moment), version, content],
            "ok",
            "",
            amount,
            1,
        )
