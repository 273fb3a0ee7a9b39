"""A contract as a suite of expectations."""

from __future__ import annotations

import json

import pytest

from schemas.contract import Contract, Plain, col, contract, rules, table, tables
from schemas.contract.references import references
from schemas.contract.rules import STOP, WARN, OnFail, Rule
from schemas.contract.types import DAY, ID, TEXT
from schemas.derive.expectations import breaks, freshness, rows_of, suite, suite_json, unresolved
from tests.schemas.contract.test_rules import every_rule
from tests.support.sample_contracts import SAMPLE_DAILY

CONDITION = "expect_no_row_to_break"
# A rule of each kind, and what is made of it.
KINDS: list[tuple[Rule, str, dict[str, object]]] = [
    (rules.not_empty(), CONDITION, {}),
    (rules.max_length(3), "expect_column_value_lengths_to_be_between", {"min_value": 0, "max_value": 3}),
    (rules.at_least(0.5), "expect_column_values_to_be_between", {"min_value": 0.5}),
    (rules.at_most(9), "expect_column_values_to_be_between", {"max_value": 9}),
    (rules.not_zero(), "expect_column_values_to_not_be_in_set", {"value_set": [0]}),
    (rules.one_of(("red", "blue"), "a colour"), "expect_column_values_to_be_in_set", {"value_set": ["red", "blue"]}),
    (rules.matches("[0-9]{3}", "digits"), "expect_column_values_to_match_regex", {"regex": r"^(?:[0-9]{3})\z"}),
    (rules.since("2000-01-01"), CONDITION, {}),
    (rules.not_ahead_of("other_at", 24), CONDITION, {}),
    (rules.min_items(1), CONDITION, {}),
    (rules.max_items(2), CONDITION, {}),
    (rules.worth_at_most(9, "quantity", "price"), CONDITION, {}),
]


@table("gold.expected_days", day="sold_on", clickhouse=Plain())
class Days:
    """One row per day."""

    sold_on = col(DAY, "The day.", key=True)


def with_rule(rule: Rule) -> Contract:
    @table("gold.ruled")
    class Ruled:
        """One row per thing."""

        thing_id = col(ID, "The thing.", key=True)
        value = col(TEXT, "Its value.", rule, optional=True)

    return contract(Ruled)


def test_every_kind_of_rule_is_tried() -> None:
    assert {rule.name.partition("(")[0] for rule, _, _ in KINDS} == every_rule(), "add the rule to KINDS"


@pytest.mark.parametrize(("rule", "type_", "arguments"), KINDS, ids=lambda given: getattr(given, "name", ""))
def test_a_rule_is_an_expectation(rule: Rule, type_: str, arguments: dict[str, object]) -> None:
    (result,) = [e for e in suite(with_rule(rule)) if e.name == f"value.{rule.name}"]

    assert result.type == type_
    if type_ == CONDITION:
        assert result.kwargs == {"column": "value", "broken": breaks(rule.spark("`value`"))}
    else:
        assert result.kwargs == {"column": "value", **arguments}
    assert result.sentence == f"value {rule.sentence}"
    assert result.broken == breaks(rule.spark("`value`"))
    assert (result.wanted, result.needs, result.stops) == ("0 rows", (), True)


def test_a_suite_has_columns_types_required_values_rules_the_key_freshness_and_the_count() -> None:
    names = [e.name for e in suite(SAMPLE_DAILY)]

    assert names == [
        "columns", "types",
        "seller_id.required", "seller_id.not_empty", "sold_on.required", "a_kzt.required", "a_kzt.at_least(0)",
        "b_kzt.required", "b_kzt.at_least(0)", "c_kzt.required",
        "adds_up", "key", "sold_on.fresh", "row_count",
    ]  # fmt: skip
    kinds = {e.name: e for e in suite(SAMPLE_DAILY)}
    assert kinds["columns"].kwargs == {"column_list": ["seller_id", "sold_on", "a_kzt", "b_kzt", "c_kzt"]}
    assert kinds["types"].kwargs["types"] == {
        "seller_id": "string", "sold_on": "date", "a_kzt": "decimal(18,4)", "b_kzt": "decimal(18,4)",
        "c_kzt": "decimal(18,4)",
    }  # fmt: skip
    assert (kinds["adds_up"].type, kinds["adds_up"].kwargs) == (
        CONDITION, {"broken": breaks("c_kzt = a_kzt - b_kzt")},
    )  # fmt: skip
    assert kinds["key"].kwargs == {"column_list": ["seller_id", "sold_on"]}
    assert kinds["key"].sentence == "seller_id, sold_on must name one row"


def test_outcomes_are_the_contracts_and_what_looks_beyond_the_table_only_warns() -> None:
    stops = {e.name: e.stops for e in suite(SAMPLE_DAILY)}

    assert {name for name, stop in stops.items() if not stop} == {"b_kzt.at_least(0)", "sold_on.fresh", "row_count"}


def test_an_expectation_says_which_values_it_waits_for() -> None:
    kinds = {e.name: e for e in suite(SAMPLE_DAILY)}

    assert kinds["sold_on.fresh"].needs == ("newest_sold_on",)
    assert kinds["sold_on.fresh"].kwargs == {"column": "sold_on", "day": {"$PARAMETER": "newest_sold_on"}}
    assert kinds["sold_on.fresh"].sentence == "sold_on must reach the newest day of silver.samples"
    assert kinds["row_count"].needs == ("fewest_rows", "most_rows")
    assert kinds["row_count"].wanted.format(fewest_rows=5, most_rows=15) == "5 to 15"


def test_a_table_keeps_up_only_with_what_has_its_day() -> None:
    assert [(f.day, f.source.name) for f in freshness(SAMPLE_DAILY)] == [("sold_on", "silver.samples")]
    assert freshness(contract(Days)) == ()


def test_a_reference_is_looked_up_within_its_collection() -> None:
    lots = next(t for t in tables("silver") if t.name == "silver.procurement_lots")
    reference = next(r for r in references(lots) if not r.part and not r.is_list)
    target = reference.target
    (result,) = [e for e in suite(lots) if e.name == f"{reference.column}.resolves"]

    assert (result.on_fail, result.needs) == (OnFail.WARN, (rows_of(target),))
    assert result.kwargs == {"broken": unresolved(reference), "tolerated_pct": 0}
    assert f"FROM rows_of_silver_{target.table} AS t WHERE t.`{reference.target_column}` = r.`{reference.column}` " in (
        result.broken
    )
    assert "t.`collection_code` = r.`collection_code`" in result.broken


def test_a_product_is_looked_for_only_in_a_catalogue_that_has_its_seller() -> None:
    (result,) = [e for t in tables("gold", "purchases") for e in suite(t) if e.name == "product_id.resolves"]

    assert result.kwargs["tolerated_pct"] == 5
    assert (result.on_fail, result.needs) == (OnFail.WARN, ("rows_of_silver_shop_products",))
    assert result.broken.endswith(
        " AND EXISTS (SELECT 1 FROM rows_of_silver_shop_products AS o WHERE o.`seller_id` = r.`seller_id`)"
    )
    assert result.sentence == (
        "every product_id must be a silver.shop_products.product_id where that table has the seller_id"
    )
    assert result.wanted == "at most 5 % of the rows"


def test_a_streamed_table_of_silver_is_to_go_on_arriving() -> None:
    requests = {t.name: e for t in tables("silver") for e in suite(t) if e.name == "ingested_at.recent"}

    assert {"silver.purchase_lines", "silver.procurement_lots"} <= set(requests)
    assert set(requests) == {t.name for t in tables("silver") if t.refresh == "stream"}
    result = requests["silver.purchase_lines"]
    assert (result.on_fail, result.needs, result.wanted) == (OnFail.WARN, ("still_arrives",), ">= {still_arrives}")


def test_a_suite_is_data() -> None:
    result = suite_json(SAMPLE_DAILY)

    assert json.loads(json.dumps(result)) == result
    assert result["name"] == "gold.sample_daily"
    (warned,) = [e for e in result["expectations"] if e["meta"]["name"] == "b_kzt.at_least(0)"]
    assert warned == {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "b_kzt", "min_value": 0},
        "description": "b_kzt must be at least 0",
        "severity": "warning",
        "meta": {"name": "b_kzt.at_least(0)", "sentence": "b_kzt must be at least 0", "on_fail": "warn"},
    }


@pytest.mark.parametrize("known", tables("gold"), ids=lambda t: t.name)
def test_every_gold_table_has_a_suite_that_covers_its_contract(known: Contract) -> None:
    result = suite(known)
    names = [e.name for e in result]

    assert len(names) == len(set(names)), "a name tells one expectation"
    assert {f"{c}.required" for c in known.columns if not c.optional} <= set(names)
    assert {f"{c}.{r.name}" for c in known.columns for r in c.rules} <= set(names)
    assert {r.name for r in known.rules} | {"columns", "types", "key", "row_count"} <= set(names)
    assert {e.on_fail for e in result} <= {STOP, WARN}
    assert all(not e.sentence.endswith(".") for e in result)
