"""Rows of the shop: read by their contracts, masked, paged. What PostgreSQL does of it is tested in tests/services."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from api.http.problems import Problem
from api.shop import cursor
from api.shop.cursor import Order
from api.shop.entities import Entity, catalogue, masked
from api.shop.examples import row as example
from api.shop.service import Catalogue, Catalogues
from conf.postgres_values import Unreadable
from schemas.contract import find
from tests.api.asking import GOOD, Client, problem

PRODUCTS, CUSTOMERS, SELLERS = (catalogue()[name] for name in ("products", "customers", "sellers"))
AT = datetime(2026, 1, 31, 9, 30, 0, 123456, tzinfo=UTC)
CUSTOMER = {
    "customer_id": "C00001", "name": "Айгуль Б.", "email": "aigul@example.kz", "phone": "+77011234567",
    "address": None, "city_name": "Almaty", "created_at": AT, "updated_at": AT,
}  # fmt: skip


class FakeShop:
    """Answers with prepared rows and remembers what it was asked."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.answer = rows
        self.queries: list[tuple[Any, Any]] = []

    async def rows(self, query: Any, values: Any = None) -> list[dict[str, Any]]:
        self.queries.append((query, values))
        return self.answer


def with_rows(api: Client, entity: Entity, rows: list[dict[str, Any]]) -> FakeShop:
    shop = FakeShop(rows)
    api.backends.service(Catalogues).by_plural[entity.plural] = Catalogue(shop, entity)  # type: ignore[arg-type]
    return shop


def test_the_contracts_decide_what_there_is() -> None:
    assert sorted(catalogue()) == ["customers", "products", "sellers"]
    assert [c.name for c in SELLERS.written] == ["seller_id", "name", "city_name", "is_active"]
    assert PRODUCTS.sorted_by == (
        "product_id", "created_at", "updated_at", "seller_id", "name", "price_amount", "currency_code",
    )  # fmt: skip
    assert CUSTOMERS.sorted_by == ("customer_id", "created_at", "updated_at"), "a name's order tells the name"
    assert (PRODUCTS.one, PRODUCTS.key) == ("product", "product_id")


@pytest.mark.parametrize("entity", [PRODUCTS, CUSTOMERS, SELLERS], ids=lambda entity: entity.plural)
def test_the_documented_examples_are_taken(entity: Entity) -> None:
    row, findings = entity.read(example(entity))

    assert findings == []
    assert set(row) == {c.name for c in entity.written}


def test_a_new_row_is_active_unless_it_says_otherwise() -> None:
    given = example(SELLERS) | {"is_active": None}

    assert SELLERS.read({k: v for k, v in given.items() if k != "is_active"})[0]["is_active"] is True
    assert [finding.rule for finding in SELLERS.read(given)[1]] == ["is_active.required"]


def test_what_tells_of_a_person_is_masked() -> None:
    plain = CUSTOMERS.shown(CUSTOMER, personal=False)

    assert (plain["name"], plain["email"], plain["phone"], plain["address"]) == ("А***", "a***@***", "***67", None)
    assert plain["updated_at"] == "2026-01-31T09:30:00.123456Z"
    assert CUSTOMERS.shown(CUSTOMER, personal=True)["email"] == "aigul@example.kz"


def test_every_personal_column_has_a_mask_that_hides_it() -> None:
    for column in find("shop.customers").columns:
        if column.personal:
            assert masked(column, "Abcdefghij") not in (None, "Abcdefghij")
            assert len(masked(column, "Abcdefghij") or "") < 10


def test_masks_follow_the_key_s_scope(api: Client) -> None:
    with_rows(api, CUSTOMERS, [CUSTOMER])

    assert api.get("/v1/customers/C00001", "reader").json()["name"] == "А***"
    assert api.get("/v1/customers/C00001").json()["name"] == "Айгуль Б."
    assert api.get("/v1/customers", "reader").json()["items"][0]["email"] == "a***@***"
    changed = api.ask("PATCH", "/v1/customers/C00001", "writer", json={"city_name": "Astana"})
    assert changed.json()["phone"] == "***67"


def test_a_filter_by_what_is_masked_needs_the_scope(api: Client) -> None:
    shop = with_rows(api, CUSTOMERS, [CUSTOMER])

    answered = problem(api.get("/v1/customers?email=aigul@example.kz", "reader"), 403)
    assert "email" in answered["detail"]
    assert shop.queries == []
    assert api.get("/v1/customers?email=aigul@example.kz").status_code == 200


def test_a_page_ends_with_the_next_one_s_cursor(api: Client) -> None:
    rows = [example(PRODUCTS) | {"product_id": f"P{n}", "price_amount": Decimal(n), "created_at": AT, "updated_at": AT}
            for n in range(3)]  # fmt: skip
    shop = with_rows(api, PRODUCTS, rows)

    first = api.get("/v1/products?limit=2&sort=-price_amount&seller_id=s1").json()
    assert [item["product_id"] for item in first["items"]] == ["P0", "P1"]
    api.get(f"/v1/products?limit=2&sort=-price_amount&seller_id=s1&cursor={first['next']}")

    query, values = shop.queries[-1]
    assert query.as_string(None).endswith(
        'WHERE "seller_id" = %s AND ("price_amount", "product_id") < (%s, %s)'
        ' ORDER BY "price_amount" DESC, "product_id" DESC LIMIT 3'
    )
    assert values == ["s1", Decimal(1), "P1"]


def test_the_last_page_has_no_cursor(api: Client) -> None:
    with_rows(api, SELLERS, [])

    assert api.get("/v1/sellers").json() == {"items": [], "next": None}


@pytest.mark.parametrize("query", [
    "sort=price_amount", "seller_id=other", "updated_since=2026-01-01T00:00:00Z", "sort=-updated_at&seller_id=s1",
])  # fmt: skip
def test_a_cursor_is_for_its_own_list(api: Client, query: str) -> None:
    with_rows(api, PRODUCTS, [])
    created = cursor.make(Order("updated_at"), {"seller_id": "s1"}, PRODUCTS, {"updated_at": AT, "product_id": "P1"})

    answered = problem(api.get(f"/v1/products?cursor={created}&{query}"), 422)

    assert answered["errors"][0]["parameter"] == "cursor"


@pytest.mark.parametrize("text", ["", "x", "%00", "AAAA", "é", base64.urlsafe_b64encode(b'["a","b"]').decode(),
                                  base64.urlsafe_b64encode(b"[" * 300).decode(), "x" * 499])  # fmt: skip
def test_what_is_no_cursor_is_refused(api: Client, text: str) -> None:
    with_rows(api, PRODUCTS, [])

    assert problem(api.get(f"/v1/products?cursor={text}"), 422)["errors"][0]["parameter"] == "cursor"


def test_a_cursor_gives_back_the_values_it_was_made_of() -> None:
    order, filters = Order("updated_at", True), {"is_active": True}
    created = cursor.make(order, filters, PRODUCTS, {"updated_at": AT, "product_id": "P1"})

    assert cursor.read(created, order, filters, PRODUCTS) == (AT, "P1")
    with pytest.raises(Problem, match="cursor"):
        cursor.read(created, Order("updated_at"), filters, PRODUCTS)


@pytest.mark.parametrize(("query", "parameter"), [
    ("limit=0", "limit"), ("limit=501", "limit"), ("limit=-1", "limit"), ("limit=1e2", "limit"), ("limit=٣", "limit"),
    ("limit=1&limit=2", "limit"), ("colour=red", "colour"), ("sort=category_name", "sort"),
    ("is_active=yes", "is_active"),
    ("updated_since=2026-01-01", "updated_since"), ("name=%00", "name"), ("name=" + "x" * 501, "name"),
    ("sort=product_id;DROP TABLE shop.products", "sort"),
])  # fmt: skip
def test_wrong_parameters_are_named(api: Client, query: str, parameter: str) -> None:
    shop = with_rows(api, PRODUCTS, [])

    assert problem(api.get(f"/v1/products?{query}"), 422)["errors"][0]["parameter"] == parameter
    assert shop.queries == []


@pytest.mark.parametrize(("body", "rule"), [
    ({}, "record.empty"), ({"seller_id": "s1"}, "record.empty"), ({"seller_id": "s2", "name": "x"}, "seller_id.fixed"),
    ({"updated_at": "2026-01-01T00:00:00Z"}, "unknown"), ({"name": None}, "name.required"), ([], "record.json"),
    ({"name": ""}, "name.not_empty"), ({"is_active": "true"}, "is_active.type"),
])  # fmt: skip
def test_a_change_keeps_the_rules(api: Client, body: Any, rule: str) -> None:
    shop = with_rows(api, SELLERS, [])

    answered = problem(api.ask("PATCH", "/v1/sellers/s1", json=body), 422)

    assert answered["errors"][0]["rule"] == rule
    assert shop.queries == []


def test_a_change_names_only_what_changes(api: Client) -> None:
    row = example(SELLERS, kept=True) | {"created_at": AT, "updated_at": AT}
    shop = with_rows(api, SELLERS, [row])

    assert api.ask("PATCH", "/v1/sellers/s1", json={"seller_id": "s1", "city_name": None}).status_code == 200
    query, values = shop.queries[0]
    assert 'UPDATE "shop"."sellers" SET "city_name" = %(city_name)s WHERE' in query.as_string(None)
    assert values == {"city_name": None, "the key": "s1"}


def test_a_seller_made_here_is_known_at_once_and_a_deleted_one_is_not(api: Client) -> None:
    row = example(SELLERS) | {"seller_id": "new", "created_at": AT, "updated_at": AT}
    with_rows(api, SELLERS, [row])
    woken: list[int] = []
    assert api.send(GOOD).status_code == 202
    api.backends.service(Catalogues).relay = lambda: woken.append(1)

    answer = api.ask("POST", "/v1/sellers", json=example(SELLERS) | {"seller_id": "new"})
    assert (answer.status_code, answer.headers["location"]) == (201, "/v1/sellers/new")
    assert api.send(GOOD | {"seller_id": "new"}).status_code == 202
    assert api.ask("DELETE", "/v1/sellers/new").status_code == 204
    assert api.send(GOOD | {"seller_id": "new"}).status_code == 422
    assert len(woken) == 2


def test_scopes_hold(api: Client) -> None:
    with_rows(api, SELLERS, [])

    for method in ("POST", "PATCH", "DELETE"):
        path = "/v1/sellers" if method == "POST" else "/v1/sellers/s1"
        assert problem(api.ask(method, path, "reader", json={}), 403)["type"] == "urn:sauda:problem:scope"


def test_a_row_of_the_catalogue_is_small(api: Client) -> None:
    answered = problem(api.ask("POST", "/v1/sellers", json={"seller_id": "s", "name": "x" * 70_000}), 413)

    assert answered["detail"] == "The body has more than 64,000 bytes. Send less at a time."


def test_a_value_that_cannot_be_read_is_null_and_said_so_and_the_list_goes_on(api: Client) -> None:
    bad = CUSTOMER | {"customer_id": "C00002", "created_at": Unreadable("-infinity"), "name": Unreadable("")}
    with_rows(api, CUSTOMERS, [CUSTOMER, bad])
    first, second = api.get("/v1/customers").json()["items"]

    assert "unreadable" not in first
    assert second["created_at"] is None
    assert second["name"] is None
    assert second["unreadable"] == {"created_at": "cannot be read: -infinity", "name": "is no UTF-8"}


@pytest.mark.parametrize("text", ["infinity", "-infinity", "0044-03-15 00:00:00+00 BC", "12000-01-01 00:00:00.5+00"])
def test_a_page_may_end_at_a_time_that_only_postgresql_can_read(text: str) -> None:
    order = Order("updated_at")
    row = CUSTOMER | {"updated_at": Unreadable(text)}

    assert cursor.read(cursor.make(order, {}, CUSTOMERS, row), order, {}, CUSTOMERS) == (text, "C00001")


@pytest.mark.parametrize("text", ["'; --", "now", "yesterday", "", "infinityx"])
def test_a_cursor_that_somebody_made_up_is_refused(text: str) -> None:
    order = Order("updated_at")
    row = CUSTOMER | {"updated_at": Unreadable(text)}
    with pytest.raises(Problem, match="cursor does not belong to this list"):
        cursor.read(cursor.make(order, {}, CUSTOMERS, row), order, {}, CUSTOMERS)
