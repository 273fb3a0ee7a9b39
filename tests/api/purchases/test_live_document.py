"""The last hour of purchases as the page shows it."""

from __future__ import annotations

from api.purchases.live_document import RevenueStep, Sales, currencies, first_minute, members, merged

NOW = 1_800_000_035.0
MINUTE = 1_800_000_000
FIRST = MINUTE - 59 * 60


def test_the_hour_ends_with_the_minute_at_hand() -> None:
    assert first_minute(NOW) == FIRST


def test_fresh_steps_replace_kept_ones_and_older_ones_stay() -> None:
    kept = [
        RevenueStep(MINUTE - 60, "KZT", 5.0, 1),
        RevenueStep(MINUTE, "KZT", 1.0, 1),
        RevenueStep(MINUTE, "EUR", 9.0, 9),
    ]
    fresh = [RevenueStep(MINUTE, "KZT", 7.0, 3)]

    assert merged(kept, fresh, MINUTE) == [RevenueStep(MINUTE - 60, "KZT", 5.0, 1), RevenueStep(MINUTE, "KZT", 7.0, 3)]


def test_steps_are_forgotten_after_an_hour() -> None:
    kept = [RevenueStep(MINUTE - 3600, "KZT", 5.0, 1), RevenueStep(MINUTE - 3660, "KZT", 6.0, 1)]

    assert merged(kept, [RevenueStep(MINUTE, "KZT", 1.0, 1)], MINUTE - 60)[0] == kept[0]
    assert len(merged(kept, [RevenueStep(MINUTE, "KZT", 1.0, 1)], MINUTE - 60)) == 2


def test_each_currency_has_sixty_minutes_and_the_busiest_is_first() -> None:
    steps = [
        RevenueStep(FIRST, "EUR", 10.5, 1),
        RevenueStep(MINUTE, "KZT", 100.0, 2),
        RevenueStep(MINUTE + 50, "KZT", -30.0, 1),
        RevenueStep(FIRST - 60, "KZT", 999.0, 9),
        RevenueStep(MINUTE + 60, "KZT", 999.0, 9),
    ]
    products = [
        {"currency_code": code, "seller_id": "s", "product_id": name, "description": text, "piece_count": 2,
         "revenue_amount": 70.0}
        for code, name, text in (("KZT", "p1", ""), ("USD", "p2", "x"))
    ]  # fmt: skip

    kzt, eur = currencies(steps, products, FIRST)

    assert [kzt["currency_code"], eur["currency_code"]] == ["KZT", "EUR"]
    assert (kzt["revenue_amounts"][59], kzt["purchase_counts"][59], sum(kzt["purchase_counts"])) == (70.0, 3, 3)
    assert (eur["revenue_amounts"][0], sum(eur["revenue_amounts"]), len(eur["revenue_amounts"])) == (10.5, 10.5, 60)
    assert [product["description"] for product in kzt["products"]] == ["p1"], "a product without a name shows its code"
    assert eur["products"] == []


def test_all_currencies_together_come_first_in_the_base_currency() -> None:
    steps = [
        RevenueStep(FIRST, "KZT", 100.0, 2, "KZT", 100.0),
        RevenueStep(MINUTE, "USD", 10.0, 1, "KZT", 5_100.0),
        RevenueStep(MINUTE + 10, "EUR", 7.0, 1, "KZT", None, 3),
        RevenueStep(MINUTE + 60, "USD", 99.0, 9, "KZT", 99.0),
    ]
    best = [{"currency_code": "KZT", "seller_id": "s", "product_id": "p", "description": "Tea", "piece_count": 1,
             "revenue_amount": 5_100.0}]  # fmt: skip

    hours = members(NOW, Sales(steps, top_products=best))["currencies"]

    assert [(hour["currency_code"], hour["is_total"]) for hour in hours] == [
        ("KZT", True), ("KZT", False), ("EUR", False), ("USD", False),
    ]  # fmt: skip
    whole = hours[0]
    assert (whole["revenue_amounts"][0], whole["revenue_amounts"][59], sum(whole["purchase_counts"])) == (100, 5100, 4)
    assert whole["unconverted_line_count"] == 3
    assert [product["product_id"] for product in whole["products"]] == ["p"]


def test_where_there_is_only_the_base_currency_it_is_its_own_total() -> None:
    steps = [RevenueStep(FIRST, "KZT", 100.0, 2, "KZT", 100.0)]

    assert [hour["is_total"] for hour in members(NOW, Sales(steps))["currencies"]] == [False]


def test_before_clickhouse_has_answered_there_are_no_figures() -> None:
    assert members(NOW, None) == {"first_minute_at": FIRST, "currencies": [], "latest": [], "newest_at": None}
