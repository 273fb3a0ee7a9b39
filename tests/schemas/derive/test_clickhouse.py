"""How ClickHouse tables are made."""

import pytest

from schemas.contract import find, tables
from schemas.derive import clickhouse
from tests.support.sample_contracts import SAMPLE_DAILY, SAMPLES, SAMPLES_RAW


def test_a_replacing_table_has_its_serving_columns_and_every_clause() -> None:
    assert clickhouse.create_table(SAMPLES) == (
        "CREATE TABLE IF NOT EXISTS `silver`.`samples` (\n"
        "  `sample_id` String COMMENT 'The shop\\'s sample.',\n"
        "  `taken_at` DateTime64(6, 'UTC') COMMENT 'When it was taken.',\n"
        "  `sold_on` Date32 COMMENT 'Day of the sale.',\n"
        "  `seller_id` LowCardinality(String) COMMENT 'The seller.',\n"
        "  `colour_code` LowCardinality(Nullable(String)) COMMENT 'Colour.',\n"
        "  `price_kzt` Nullable(Decimal(18, 4)) COMMENT 'Price.',\n"
        "  `share` Float64 COMMENT 'Share.',\n"
        "  `is_sold` Bool COMMENT 'Whether it is sold.',\n"
        "  `note` Nullable(String) COMMENT 'Anything.',\n"
        "  `arrival` Int64 COMMENT 'Greater for an earlier event.',\n"
        "  `headers` Array(Tuple(key String, value String)) COMMENT 'Headers.'\n"
        ")\n"
        "ENGINE = ReplacingMergeTree(arrival)\n"
        "PARTITION BY toYYYYMM(sold_on)\n"
        "ORDER BY (sold_on, seller_id, sample_id)\n"
        "TTL toDateTime(taken_at) + INTERVAL 400 DAY\n"
        "SETTINGS non_replicated_deduplication_window = 10000\n"
        "COMMENT 'One row per sample. It isn\\'t much.'"
    )


def test_a_plain_table_is_sorted_by_its_key() -> None:
    result = clickhouse.create_table(SAMPLE_DAILY)

    assert result.endswith(
        ")\nENGINE = MergeTree\nPARTITION BY toYYYYMM(sold_on)\nORDER BY (seller_id, sold_on)\n"
        "COMMENT 'One row per seller and day: what was sold.'"
    )
    assert "TTL" not in result
    assert "SETTINGS" not in result


def test_a_staging_table_has_the_same_shape_under_another_name() -> None:
    result = clickhouse.create_table(SAMPLE_DAILY, "staging.sample_daily_7")

    assert result.startswith("CREATE TABLE IF NOT EXISTS `staging`.`sample_daily_7` (\n  `seller_id` ")
    assert result.partition("(")[2] == clickhouse.create_table(SAMPLE_DAILY).partition("(")[2]


def test_an_optional_column_of_the_sorting_key_is_not_nullable() -> None:
    assert SAMPLES.column("seller_id").optional
    assert clickhouse.columns(SAMPLES)["seller_id"] == "LowCardinality(String)"


def test_a_column_that_is_not_served_stays_out() -> None:
    assert "value" not in clickhouse.columns(SAMPLES)
    assert set(clickhouse.columns(SAMPLES)) == set(SAMPLES.columns) - {"value"}


def test_an_optional_column_is_added_where_the_contract_has_it() -> None:
    assert clickhouse.add_column(SAMPLES, SAMPLES.column("note")) == (
        "ALTER TABLE `silver`.`samples` ADD COLUMN IF NOT EXISTS "
        "`note` Nullable(String) COMMENT 'Anything.' AFTER `is_sold`"
    )


def test_a_required_column_cannot_be_added() -> None:
    with pytest.raises(ValueError, match=r"silver\.samples\.share is required: rows that are there have no value"):
        clickhouse.add_column(SAMPLES, SAMPLES.column("share"))


def test_comments_and_the_window_are_brought_in_line() -> None:
    assert clickhouse.set_comment(SAMPLES, SAMPLES.column("sample_id")) == (
        r"ALTER TABLE `silver`.`samples` COMMENT COLUMN `sample_id` 'The shop\'s sample.'"
    )
    assert clickhouse.set_table_comment(SAMPLES) == (
        r"ALTER TABLE `silver`.`samples` MODIFY COMMENT 'One row per sample. It isn\'t much.'"
    )
    assert clickhouse.set_dedup_window(SAMPLES) == (
        "ALTER TABLE `silver`.`samples` MODIFY SETTING non_replicated_deduplication_window = 10000"
    )


def test_a_table_that_clickhouse_does_not_hold_is_said() -> None:
    with pytest.raises(ValueError, match=r"bronze\.samples has no clickhouse=…, so ClickHouse holds no such table"):
        clickhouse.create_table(SAMPLES_RAW)


def test_a_layer_is_a_database() -> None:
    assert clickhouse.create_database("gold") == "CREATE DATABASE IF NOT EXISTS `gold`"


def test_every_registered_serving_table_can_be_made() -> None:
    served = [t for t in tables() if t.clickhouse]

    assert {t.layer for t in served} >= {"silver", "gold", "ops"}
    for table in served:
        assert clickhouse.create_table(table).count("\n  `") == len(table.serving_columns)


def test_columns_by_which_rows_are_looked_up_have_an_index() -> None:
    lots = find("silver.procurement_lots")

    assert clickhouse.indexes(lots)["by_buyer_tax_id"] == ("buyer_tax_id", "bloom_filter")
    assert clickhouse.indexes(lots)["by_status_code"] == ("status_code", "set(1000)")
    assert "  INDEX `by_status_code` `status_code` TYPE set(1000) GRANULARITY 1\n)\n" in clickhouse.create_table(lots)
