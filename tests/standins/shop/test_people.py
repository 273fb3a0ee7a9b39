"""The simulated world as the shop's database knows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson

from schemas.contract import find
from schemas.derive.fakes import broken_rules
from standins.shop import people
from standins.world.simulator import events
from standins.world.world import make_world

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORLD = make_world(7, until=NOW)
ROWS = {"customers": list(people.customers(WORLD)), "sellers": list(people.sellers(WORLD)),
        "products": list(people.products(WORLD))}  # fmt: skip


def test_whatever_a_simulated_purchase_names_is_in_the_database() -> None:
    ids = {name: {row[f"{name[:-1]}_id"] for row in rows} for name, rows in ROWS.items()}
    for message in events(WORLD, 300):
        purchase = orjson.loads(message.value or b"")
        assert purchase["seller_id"] in ids["sellers"]
        assert {line["product_id"] for line in purchase["lines"]} <= ids["products"]
        assert purchase.get("customer_id", "C00000") in ids["customers"]


def test_every_row_keeps_the_rules_of_its_contract() -> None:
    for name, rows in ROWS.items():
        entity = find(f"shop.{name}")
        for row in rows:
            whole = {c.name: row.get(c, NOW) for c in entity.columns}
            assert broken_rules(entity, whole) == []


def test_the_same_seed_gives_the_same_people_on_another_day() -> None:
    later = make_world(7, until=NOW + timedelta(days=9))

    assert list(people.customers(later)) == ROWS["customers"]
    assert list(people.products(later)) == ROWS["products"]
    assert list(people.customers(make_world(8, until=NOW))) != ROWS["customers"]


def test_some_leave_something_out_and_no_address_is_anybodys() -> None:
    customers = ROWS["customers"]

    for name in ("email", "phone", "address"):
        assert 0.7 < sum(row[name] is not None for row in customers) / len(customers) < 1
    assert all(row["email"] is None or row["email"].endswith("@mail.example") for row in customers)


def test_a_product_has_its_sellers_currency() -> None:
    currencies = {seller.seller_id: seller.currency_code for seller in WORLD.sellers}

    assert all(row["currency_code"] == currencies[row["seller_id"]] for row in ROWS["products"])
