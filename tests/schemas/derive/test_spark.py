"""Spark schemas of a table."""

import pytest

from schemas.contract import contract, tables
from schemas.contract.types import ALL
from schemas.derive.spark import schema_ddl, schema_json, type_json, type_text
from tests.support.sample_contracts import SAMPLE_DAILY, SAMPLE_EVENT, SAMPLES_RAW


def test_the_ddl_of_a_table_names_type_and_need() -> None:
    assert schema_ddl(SAMPLE_DAILY) == (
        "`seller_id` string NOT NULL, `sold_on` date NOT NULL, `a_kzt` decimal(18,4) NOT NULL, "
        "`b_kzt` decimal(18,4) NOT NULL, `c_kzt` decimal(18,4) NOT NULL"
    )


def test_an_optional_column_may_be_null() -> None:
    assert schema_ddl(SAMPLES_RAW).endswith(
        "`headers` array<struct<key:string,value:binary>>, `key` binary, `value` binary"
    )


def test_the_json_of_a_table_is_what_spark_writes_of_it() -> None:
    fields = {field["name"]: field for field in schema_json(SAMPLES_RAW)["fields"]}

    assert list(fields) == list(SAMPLES_RAW.columns)
    assert fields["kafka_offset"] == {"name": "kafka_offset", "type": "long", "nullable": False, "metadata": {}}
    assert fields["headers"] == {
        "name": "headers",
        "nullable": True,
        "metadata": {},
        "type": {
            "type": "array",
            "containsNull": True,
            "elementType": {
                "type": "struct",
                "fields": [
                    {"name": "key", "type": "string", "nullable": True, "metadata": {}},
                    {"name": "value", "type": "binary", "nullable": True, "metadata": {}},
                ],
            },
        },
    }


def test_a_list_has_no_place_in_a_table() -> None:
    with pytest.raises(ValueError, match="parts is a LIST, which only an event can hold"):
        schema_ddl(SAMPLE_EVENT)


@pytest.mark.parametrize(
    "text", ["bigint", "array<array<date>>", "struct<a:decimal(18,4),b:array<struct<c:string,d:int>>,e:timestamp>"]
)
def test_a_type_survives_its_json_form(text: str) -> None:
    assert type_text(type_json(text)) == text


def test_every_logical_type_survives_its_json_form() -> None:
    for known in ALL:
        assert type_text(type_json(known.spark)) == known.spark


def test_an_unknown_spark_type_is_said() -> None:
    with pytest.raises(ValueError, match="no JSON form is known for the Spark type 'map<string,string>'"):
        type_json("map<string,string>")


def test_every_registered_table_has_a_spark_schema() -> None:
    for table in tables():
        assert len(schema_json(table)["fields"]) == schema_ddl(table).count("` ") == len(table.columns)
        assert table.python is not None
        assert contract(table.python) is table
