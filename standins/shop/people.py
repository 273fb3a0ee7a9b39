"""The simulated world as the shop's database knows it: the ids that purchases name, with invented persons behind them.

The same seed gives the same rows. Nobody here exists: names are drawn from lists, addresses end in `.example`, a top
level that is kept free for this, and telephone numbers have an area code that is not in use.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from standins.world.world import World

Row = dict[str, Any]
GIVEN = (
    "Aigerim", "Aliya", "Anara", "Aset", "Bakyt", "Dana", "Daniyar", "Dinara", "Elena", "Erlan", "Gulnara", "Ivan",
    "Karina", "Kairat", "Madina", "Maral", "Marat", "Nurlan", "Olga", "Ruslan", "Sanzhar", "Saule", "Timur", "Zarina",
)  # fmt: skip
FAMILY = (
    "Abenov", "Akhmetov", "Bekov", "Dzhumabaev", "Ermekov", "Ibraev", "Iskakov", "Kasymov", "Kim", "Li", "Mukanov",
    "Nurgaliev", "Omarov", "Petrov", "Rakhimov", "Sadykov", "Seitov", "Sokolov", "Tulegenov", "Zhakupov",
)  # fmt: skip
CITIES = (("Almaty", 20), ("Astana", 14), ("Shymkent", 11), ("Karaganda", 5), ("Aktobe", 5), ("Oskemen", 3),
          ("Atyrau", 3), ("Pavlodar", 3), ("Kostanay", 2), ("Taraz", 3))  # fmt: skip
STREETS = ("Abai", "Dostyk", "Gagarin", "Nauryz", "Satpaev", "Seifullin", "Tole Bi", "Zhibek Zholy")
SELLER_CITIES = {"ural-parts": "Yekaterinburg", "samarkand-spice": "Samarkand", "issyk-kul-honey": "Karakol"}
CATEGORIES = {
    "food": ("green tea", "black tea", "rice", "buckwheat", "honey", "dried apricots", "smoked fish", "saffron"),
    "clothing": ("wool socks", "felt slippers"),
    "home": ("cotton towel", "ceramic bowl", "thermos", "notebook"),
    "outdoor": ("headlamp", "camping mug", "yoga mat"),
    "tools": ("screwdriver set", "work gloves", "engine oil"),
}
_CATEGORY = {good: category for category, goods in CATEGORIES.items() for good in goods}


def customers(world: World) -> Iterator[Row]:
    """Every customer of the world. Some left no telephone, some no address, some share both with another."""
    names, weights = zip(*CITIES, strict=True)
    for number, customer_id in enumerate(world.customers):
        random = Random(f"{world.seed}:customer:{customer_id}")
        given, family = random.choice(GIVEN), random.choice(FAMILY)
        street = f"{random.choice(STREETS)} {random.randint(1, 180)}, {random.randint(1, 120)}"
        yield {
            "customer_id": customer_id,
            "name": f"{given} {family}",
            "email": f"{given}.{family}.{number}@mail.example".lower() if random.random() < 0.95 else None,
            "phone": f"+7999{random.randrange(10**7):07d}" if random.random() < 0.9 else None,
            "address": street if random.random() < 0.8 else None,
            "city_name": random.choices(names, weights)[0],
        }


def sellers(world: World) -> Iterator[Row]:
    """Every seller of the world."""
    for seller in world.sellers:
        random = Random(f"{world.seed}:seller:{seller.seller_id}")
        yield {
            "seller_id": seller.seller_id,
            "name": seller.seller_id.replace("-", " ").title(),
            "city_name": SELLER_CITIES.get(seller.seller_id) or random.choice(CITIES)[0],
            "is_active": True,
        }


def products(world: World) -> Iterator[Row]:
    """Every product of the world, each with one of the sellers that trade in it, at that seller's price."""
    weights = [seller.weight for seller in world.sellers]
    for product in world.products:
        random = Random(f"{world.seed}:product:{product.product_id}")
        (seller,) = random.choices(world.sellers, weights)
        good = product.description.partition(" ")[2].rpartition(",")[0]
        yield {
            "product_id": product.product_id,
            "seller_id": seller.seller_id,
            "name": product.description,
            "category_name": _CATEGORY[good],
            "price_amount": world.prices[seller.currency_code, product.product_id],
            "currency_code": seller.currency_code,
            "is_active": True,
        }
