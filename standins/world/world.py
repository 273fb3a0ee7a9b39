"""The simulated world: who sells what to whom, how trade swings through the week, and the truths planted in it.

Everything follows from the seed, the instant at which the world ends, and the number of days before it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate, product
from random import Random
from typing import Literal

LOCAL = timedelta(hours=5)
"""Kazakhstan's clock: shops keep its hours, the data is in UTC."""

WEEKDAYS = (0.92, 0.90, 0.94, 0.98, 1.12, 1.22, 0.92)
HOURS = (1, 1, 0, 0, 0, 0, 1, 3, 8, 14, 20, 24, 26, 26, 24, 22, 22, 26, 32, 36, 30, 20, 10, 4)
SPIKE, SLUMP = 5, 0.05
"""A spike multiplies the seller's pieces on its day; in a slump so much of the seller's trade is left."""

# KZT for one unit, and how many decimals prices have. Most sellers sell in tenge.
CURRENCIES = {"KZT": (1.0, 0), "RUB": (5.6, 2), "USD": (510.0, 2), "UZS": (0.041, 0), "KGS": (5.85, 2)}
SELLERS = (
    ("almaly-market", "KZT", 26), ("esil-foods", "KZT", 20), ("dala-home", "KZT", 12), ("tau-outdoor", "KZT", 9),
    ("jibek-textile", "KZT", 7), ("sary-arka-tools", "KZT", 6), ("kaspiy-fish", "KZT", 5), ("medeu-sport", "KZT", 4),
    ("ural-parts", "RUB", 4), ("silk-road-export", "USD", 3), ("samarkand-spice", "UZS", 2),
    ("issyk-kul-honey", "KGS", 2),
)  # fmt: skip
GOODS = (
    ("green tea", 950), ("black tea", 880), ("rice", 620), ("buckwheat", 540), ("honey", 2400),
    ("dried apricots", 1700), ("wool socks", 1500), ("felt slippers", 3900),
    ("cotton towel", 2200), ("ceramic bowl", 1800), ("thermos", 5200),
    ("headlamp", 4300), ("camping mug", 1900), ("screwdriver set", 4700), ("work gloves", 990), ("engine oil", 6100),
    ("smoked fish", 3300), ("saffron", 2900), ("yoga mat", 5600), ("notebook", 450),
)  # fmt: skip
MAKES = ("Aigul", "Baiterek", "Dostyk", "Kok-Tobe", "Nomad")
SIZES = (("small", 0.7), ("medium", 1.0), ("large", 1.5), ("family", 2.1))
CUSTOMERS = 2_000


@dataclass(frozen=True, slots=True)
class Seller:
    """`writes_text`: this shop's program sends prices as JSON strings; others send numbers. The stream takes both."""

    seller_id: str
    currency_code: str
    weight: int
    writes_text: bool


@dataclass(frozen=True, slots=True)
class Product:
    product_id: str
    description: str
    price_kzt: float


@dataclass(frozen=True, slots=True)
class Planted:
    """A truth that the anomaly table must find: on this day (UTC) this seller's revenue leaves its course."""

    kind: Literal["spike", "slump"]
    seller_id: str
    sold_on: date


@dataclass(frozen=True)
class World:
    seed: int
    until: datetime
    days: int
    sellers: tuple[Seller, ...]
    products: tuple[Product, ...]
    prices: dict[tuple[str, str], Decimal]
    """By currency and product."""
    customers: tuple[str, ...]
    planted: tuple[Planted, ...]

    @property
    def since(self) -> datetime:
        """Midnight UTC of the first day, so that only the last day is a part of one."""
        return datetime(self.until.year, self.until.month, self.until.day, tzinfo=UTC) - timedelta(days=self.days)


def make_world(seed: int, *, until: datetime, days: int = 60) -> World:
    """The world that ends at `until`, which must carry its zone."""
    if days < 1:
        raise ValueError(f"a world needs at least one day, not {days}")
    if until.tzinfo is None:
        raise ValueError("until needs its zone")
    until = until.astimezone(UTC)
    random = Random(f"{seed}:world")
    sellers = tuple(Seller(name, code, weight, i % 4 != 3) for i, (name, code, weight) in enumerate(SELLERS))
    products = tuple(
        Product(f"P{i:04d}", f"{make} {what}, {size}", base * scale * random.uniform(0.85, 1.2))
        for i, (make, (what, base), (size, scale)) in enumerate(product(MAKES, GOODS, SIZES))
    )
    prices = {
        (code, p.product_id): max(Decimal(10) ** -places, Decimal(f"{p.price_kzt / rate:.{places}f}"))
        for code, (rate, places) in CURRENCIES.items()
        for p in products
    }
    customers = tuple(f"C{i:05d}" for i in range(CUSTOMERS))
    return World(seed, until, days, sellers, products, prices, customers, planted(seed, until=until, days=days))


def planted(seed: int, *, until: datetime, days: int = 60) -> tuple[Planted, ...]:
    """What is hidden in the world of that seed: nothing where there are too few days to know a seller's course.

    Both lie well inside the period, on different days, with the two sellers whose trade is large enough to be judged.
    """
    if days < 21:
        return ()
    random = Random(f"{seed}:planted")
    last = until.astimezone(UTC).date()
    spike, slump = random.sample(range(3, days * 2 // 3), 2)
    return (
        Planted("spike", SELLERS[1][0], last - timedelta(days=spike)),
        Planted("slump", SELLERS[0][0], last - timedelta(days=slump)),
    )


def spread(world: World, n: int) -> list[tuple[datetime, float, int]]:
    """The hours of the world in order, each with its seconds that count and how many of `n` purchases fall into it."""
    hours = math.ceil((world.until - world.since) / timedelta(hours=1))
    starts = [world.since + timedelta(hours=i) for i in range(hours)]
    lengths = [min(3600.0, (world.until - start).total_seconds()) for start in starts]
    local = [start + LOCAL for start in starts]
    weights = [
        WEEKDAYS[at.weekday()] * HOURS[at.hour] * length for at, length in zip(local, lengths, strict=True)
    ]  # fmt: skip
    if not any(weights):
        weights = lengths
    sums = list(accumulate(weights))
    ends = [round(n * s / sums[-1]) for s in sums]
    counts = [end - before for before, end in zip([0, *ends], ends, strict=False)]
    return list(zip(starts, lengths, counts, strict=True))
