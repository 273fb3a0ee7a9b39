"""The contract language: what a class says, and what it may not say."""

from collections.abc import Callable
from typing import Any

import pytest

from schemas.contract import Contract, Plain, Replacing, col, contract, record, table
from schemas.contract.rules import REJECT, STOP, at_least
from schemas.contract.types import COUNT, DAY, ID, LIST, MONEY
from tests.support.sample_contracts import SAMPLE_DAILY, SAMPLE_EVENT, SAMPLES, SAMPLES_RAW, Part, Samples


def declared(decorator: Callable[[Any], Any], **columns: str) -> Contract:
    return contract(decorator(type("Made", (), {"__doc__": "One row.", "__module__": "schemas.shop.gold", **columns})))


def key_column() -> str:
    return col(ID, "A key.", key=True)


def test_a_column_is_its_name_and_carries_its_facts() -> None:
    column = contract(Samples).column("price_kzt")

    assert Samples.price_kzt == column == "price_kzt"
    assert (column.type, column.optional, column.key, column.serving) == (MONEY, True, False, True)


def test_keys_come_first_and_the_rest_in_the_order_it_is_written() -> None:
    assert list(SAMPLES.columns[:3]) == ["sample_id", "taken_at", "sold_on"]


def test_an_inherited_column_is_the_subclasss_own() -> None:
    assert list(SAMPLES_RAW.columns)[:3] == ["kafka_topic", "kafka_partition", "kafka_offset"]
    assert SAMPLES_RAW.description == "One row per record of the topic samples."


def test_the_domain_is_the_folder_below_schemas() -> None:
    assert declared(table("gold.made"), a_id=key_column()).domain == "shop"


def test_on_fail_replaces_the_outcome_of_the_columns_rules() -> None:
    result = declared(table("gold.made"), a_id=key_column(), b_count=col(COUNT, "Count.", at_least(0), on_fail=STOP))

    assert [rule.on_fail for rule in result.column("b_count").rules] == [STOP]
    assert at_least(0).on_fail is REJECT


def test_rules_of_a_list_belong_to_its_elements() -> None:
    items = SAMPLE_EVENT.column("parts").items

    assert items is not None
    assert [rule.name for rule in items.rules] == ["dear"]
    assert [rule.name for rule in SAMPLE_EVENT.rules] == ["in_order"]
    assert contract(Part).rules == ()


def test_an_unknown_column_is_answered_with_those_there_are() -> None:
    with pytest.raises(KeyError, match=r"gold\.sample_daily has no column 'x'; it has seller_id, sold_on, a_kzt"):
        SAMPLE_DAILY.column("x")


@pytest.mark.parametrize(
    ("sentence", "options", "columns"),
    [
        ("no column is a key", {}, {"a_id": col(ID, "An id.")}),
        ("a_id is a key, so it cannot be optional", {}, {"a_id": col(ID, "An id.", key=True, optional=True)}),
        ("parts is a list, which only an event can hold", {}, {"parts": col(LIST, "Parts.", items=Part)}),
        ("sort_by names 'z'; the columns are a_id", {"sort_by": ["z"]}, {}),
        ("day names 'z'; the columns are a_id", {"day": "z"}, {}),
        ("order_by names 'z'; the columns are a_id", {"clickhouse": Plain(order_by=("a_id", "z"))}, {}),
        ("version names 'z'; the columns are a_id", {"clickhouse": Replacing(version="z")}, {}),
        ("order_by names 'v_count'", {"clickhouse": Plain(order_by=("v_count",))},
         {"v_count": col(COUNT, "Count.", serving=False)}),
        ("order_by lacks the key column sold_on: different rows would replace each other",
         {"clickhouse": Replacing(order_by=("a_id",))}, {"sold_on": col(DAY, "A day.", key=True)}),
    ],
)  # fmt: skip
def test_a_table_that_no_system_could_hold_is_refused(
    sentence: str, options: dict[str, Any], columns: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="gold.made: .*" + sentence.replace(".", "[.]")):
        declared(table("gold.made", **options), **({"a_id": key_column()} | columns))


def test_a_table_without_a_docstring_is_refused() -> None:
    with pytest.raises(ValueError, match="Nameless needs a docstring that says what one row is"):
        table("gold.made")(type("Nameless", (), {"a_id": key_column()}))


def test_a_name_without_a_layer_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'made' must be layer\.name"):
        table("made")


def test_a_description_must_be_a_sentence() -> None:
    with pytest.raises(ValueError, match="'no stop' must be a sentence that ends with a full stop"):
        col(ID, "no stop")


def test_a_plain_class_is_no_contract() -> None:
    with pytest.raises(TypeError, match="int is no contract: decorate it with @table, @entity, @event or @record"):
        contract(int)


def test_a_record_is_no_table() -> None:
    assert declared(record(), a_id=key_column()).kind == "record"
