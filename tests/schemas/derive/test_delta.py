"""How Delta tables are made."""

import pytest

from schemas.contract import tables
from schemas.derive import delta
from tests.support.sample_contracts import SAMPLE_DAILY, SAMPLES, SAMPLES_RAW

PATH = "s3a://lake/warehouse/gold/sample_daily"


def test_a_gold_table_keeps_statistics_of_the_day_by_which_it_is_rebuilt() -> None:
    assert delta.create_table(SAMPLE_DAILY, PATH) == (
        "CREATE TABLE IF NOT EXISTS delta.`s3a://lake/warehouse/gold/sample_daily` (\n"
        "  `seller_id` string NOT NULL COMMENT 'The seller.',\n"
        "  `sold_on` date NOT NULL COMMENT 'Day of the sale.',\n"
        "  `a_kzt` decimal(18,4) NOT NULL COMMENT 'First.',\n"
        "  `b_kzt` decimal(18,4) NOT NULL COMMENT 'Second.',\n"
        "  `c_kzt` decimal(18,4) NOT NULL COMMENT 'First less second.'\n"
        ")\n"
        "USING delta\n"
        "COMMENT 'One row per seller and day: what was sold.'\n"
        "TBLPROPERTIES (\n"
        "  'delta.enableDeletionVectors' = 'false',\n"
        "  'delta.dataSkippingStatsColumns' = 'sold_on'\n"
        ")"
    )


def test_a_quote_in_a_description_is_escaped() -> None:
    assert r"COMMENT 'One row per sample. It isn\'t much.'" in delta.create_table(SAMPLES, PATH)
    assert r"`sample_id` string NOT NULL COMMENT 'The shop\'s sample.'" in delta.create_table(SAMPLES, PATH)


def test_silver_keeps_statistics_of_keys_days_and_its_sorting_columns() -> None:
    assert delta.statistics_columns(SAMPLES) == ("sample_id", "sold_on", "seller_id")


def test_bronze_is_only_appended_to_and_found_by_offset_and_batch() -> None:
    assert delta.properties(SAMPLES_RAW) == {
        "delta.enableDeletionVectors": "false",
        "delta.dataSkippingStatsColumns": "kafka_topic,kafka_partition,kafka_offset,ingested_at,batch_id",
        "delta.appendOnly": "true",
    }


def test_no_statistics_are_kept_where_nobody_skips_files() -> None:
    whole = [t for t in tables("gold") if not t.day]

    assert whole
    for table in whole:
        assert delta.properties(table)["delta.dataSkippingNumIndexedCols"] == "0"


def test_no_registered_table_keeps_statistics_of_long_texts_or_bytes() -> None:
    for table in tables():
        kept = {table.column(name).type.name for name in delta.statistics_columns(table)}
        assert not kept & {"TEXT", "BYTES", "HEADERS"}


def test_an_optional_column_is_added_where_the_contract_has_it() -> None:
    assert delta.add_columns(SAMPLES, "p", ["note", "colour_code"]) == [
        "ALTER TABLE delta.`p` ADD COLUMNS (`colour_code` string COMMENT 'Colour.' AFTER `seller_id`)",
        "ALTER TABLE delta.`p` ADD COLUMNS (`note` string COMMENT 'Anything.' AFTER `is_sold`)",
    ]


def test_a_required_column_cannot_be_added() -> None:
    with pytest.raises(ValueError, match=r"silver\.samples\.share is required: rows that are there have no value"):
        delta.add_columns(SAMPLES, "p", ["share"])


def test_properties_and_comments_are_brought_in_line() -> None:
    assert delta.set_comment("p", SAMPLES.column("sample_id")) == (
        r"ALTER TABLE delta.`p` ALTER COLUMN `sample_id` COMMENT 'The shop\'s sample.'"
    )
    assert delta.set_properties("p", {"a": "1", "b": "2"}) == (
        "ALTER TABLE delta.`p` SET TBLPROPERTIES ('a' = '1', 'b' = '2')"
    )
    assert delta.unset_properties("p", ["a"]) == "ALTER TABLE delta.`p` UNSET TBLPROPERTIES IF EXISTS ('a')"
