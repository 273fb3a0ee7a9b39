"""What tells of a person is in the lake and in the shop's database, and nowhere that analysts or BI tools look."""

from __future__ import annotations

import re

import pytest

from infra.postgres.migrations.versions import v0001_shop
from schemas.contract import Contract, col, contract, contracts, entities, find, like, table, tables
from schemas.contract.column import PERSONAL
from schemas.contract.types import ID, TEXT
from schemas.derive import clickhouse, views
from schemas.shop.entities import Customers
from schemas.shop.silver import ShopChanges

PERSONS = {(c.name, column.name) for c in contracts() for column in c.columns if column.personal}


def test_what_the_shop_knows_of_a_person_is_classified() -> None:
    customers = find("shop.customers")

    assert {c.personal: c.name for c in customers.columns if c.personal} == {kind: kind for kind in PERSONAL}
    for name in ("stage.customers", "silver.shop_customers"):
        assert {column for table, column in PERSONS if table == name} == set(PERSONAL)


def test_no_gold_table_has_a_personal_column_or_one_of_its_name() -> None:
    """Names of products and sellers are nobody's, so `name` alone is looked for in tables of customers."""
    for result in tables("gold"):
        assert not [c for c in result.columns if c.personal], result.name
        wrong = {"email", "phone", "address"} & set(result.columns)
        assert not wrong, result.name
        assert "customer_id" not in result.columns or "name" not in result.columns, result.name


def test_clickhouse_is_never_told_of_a_personal_column() -> None:
    for result in (t for t in tables() if t.clickhouse is not None):
        personal = {c.name for c in result.columns if c.personal}
        statement = clickhouse.create_table(result)
        assert not personal & set(clickhouse.columns(result)), result.name
        assert not [name for name in personal if re.search(rf"`{name}`", statement)], result.name


def test_no_view_over_customers_names_a_personal_column() -> None:
    for view in views.all_views():
        if "customer" in view.statement:
            words = set(re.findall(r"\w+", re.sub(r"--.*", "", view.statement)))
            assert not words & {"email", "phone", "address"}, view.name


def test_hashes_are_all_that_bi_sees_of_a_customer() -> None:
    served = {c.name: c.mask for c in find("silver.shop_customers").serving_columns}

    assert {name for name, mask in served.items() if mask == ("person",)} == {"email_id", "phone_id"}
    assert not set(served) & set(PERSONAL)
    # Of few possible addresses, a hash without a key can be guessed.
    assert "content_hash" not in served


def test_events_of_changes_carry_nothing_personal() -> None:
    """A topic and bronze are copies that nobody can be deleted from."""
    for entity in entities("shop"):
        _, key, *left_out = re.findall(r"'(\w+)'", v0001_shop.ANNOUNCED[entity.table])
        assert (key,) == entity.key
        assert set(left_out) == {c.name for c in entity.columns if c.personal}
    read = {field for c in contract(ShopChanges).columns for field in c.source_fields}
    assert not read & set(PERSONAL)


def personal_gold() -> Contract:
    result = type("Made", (), {
        "__doc__": "One row.", "__module__": "schemas.shop.gold", "a_id": col(ID, "A key.", key=True),
        "who": like(Customers.name),
    })  # fmt: skip
    return contract(table("gold.shop_made")(result))


def test_a_personal_column_in_gold_is_refused_where_it_is_declared() -> None:
    with pytest.raises(ValueError, match=r"gold\.shop_made: who tells of a person, which no gold table may"):
        personal_gold()


def test_an_unknown_kind_of_personal_data_is_refused() -> None:
    with pytest.raises(ValueError, match="personal='iin' is not known; there are name, email, phone, address"):
        col(TEXT, "A text.", personal="iin")
