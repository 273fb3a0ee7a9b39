"""References from column to column."""

from __future__ import annotations

import pytest

from schemas.contract import Contract, col, contract, contracts, find, table
from schemas.contract.references import Reference, references
from schemas.contract.types import ID


@pytest.mark.parametrize("contract", contracts(), ids=lambda contract: contract.name)
def test_every_reference_names_a_column_that_holds_the_same_kind_of_value(contract: Contract) -> None:
    for reference in references(contract):
        kinds = {reference.column.type.name, reference.target_column.type.name}
        assert kinds <= {"ID", "CODE", "TEXT"}, f"{contract.name}.{reference.column}"
        assert reference.target.business_key, (
            f"{reference.target.name} keeps no versions, so no view says what holds today"
        )
        if not reference.part:
            assert reference.target_column in reference.target.business_key, f"{reference.target_column} names no row"


def reference_of(name: str, column: str) -> Reference:
    return next(r for r in references(find(name)) if r.column == column)


def test_a_column_refers_to_a_column_of_another_table() -> None:
    lots = reference_of("silver.procurement_bids", "lot_id")

    assert (lots.target_name, lots.target_column, lots.is_list) == ("silver.procurement_lots", "lot_id", False)


def test_a_code_refers_to_one_part_of_the_dictionaries() -> None:
    unit = reference_of("silver.procurement_planning_items", "unit_code")

    assert (unit.target.name, unit.part) == ("silver.procurement_reference_items", "silver.procurement_ref_units")
    assert (unit.target_name, unit.target_column) == ("silver.procurement_ref_units", "code")


def test_a_list_of_ids_refers_by_each_of_them() -> None:
    assert reference_of("silver.procurement_lots", "planning_item_ids").is_list


def test_a_reference_within_a_column_that_not_both_tables_have_is_an_error() -> None:
    column = col(ID, "A.", key=True, refers_to="silver.shop_products.product_id", refers_within="seller_id")
    wrong = contract(table("gold.made")(type("Made", (), {"__doc__": "One row.", "a_id": column})))

    with pytest.raises(ValueError, match=r"gold\.made\.a_id refers within seller_id, which not both tables have"):
        references(wrong)


@pytest.mark.parametrize(
    "name", ["silver.procurement_nothing.tender_id", "silver.procurement_tenders.nothing_id", "tender_id"]
)
def test_a_name_that_no_contract_has_is_an_error(name: str) -> None:
    result = type("Made", (), {"__doc__": "One row.", "a_id": col(ID, "A.", key=True, refers_to=name)})
    wrong = contract(table("silver.made")(result))

    with pytest.raises(ValueError, match=rf"silver\.made\.a_id refers to {name}, which no contract has"):
        references(wrong)
