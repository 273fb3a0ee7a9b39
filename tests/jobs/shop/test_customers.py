"""Versions of customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conf.spark import PERSON_SECRET
from schemas.contract import contract
from schemas.derive.fakes import Row
from schemas.shop.silver import ShopCustomers
from schemas.shop.stage import CustomersStaged
from tests.support.tables import table_from_text
from tests.support.transforms import assert_builds, build

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def staged(text: str) -> list[Row]:
    return table_from_text(contract(CustomersStaged), text)


FIRST = """
    | customer_id | run_no | taken_at         | content_hash | is_deleted | city_name |
    | c1          | 1      | 2026-01-05 01:00 | a            | false      | Almaty    |
    | c2          | 1      | 2026-01-05 01:00 | b            | false      | Astana    |
"""


def test_equal_content_is_one_version_and_what_comes_back_is_another(spark: SparkSession) -> None:
    runs = staged("""
        | customer_id | run_no | taken_at         | content_hash | is_deleted | city_name |
        | c1          | 1      | 2026-01-05 01:00 | a            | false      | Almaty    |
        | c1          | 2      | 2026-01-06 01:00 | a            | false      | Almaty    |
        | c1          | 3      | 2026-01-07 01:00 | b            | false      | Astana    |
        | c1          | 4      | 2026-01-08 01:00 | a            | false      | Almaty    |
        | c1          | 5      | 2026-01-09 01:00 | gone         | true       |           |
        | c1          | 6      | 2026-01-10 01:00 | a            | false      | Almaty    |
    """)
    assert_builds(spark, ShopCustomers, [[], runs], """
        | customer_id | taken_at         | content_hash | is_deleted | city_name | run_no |
        | c1          | 2026-01-05 01:00 | a            | false      | Almaty    | 1      |
        | c1          | 2026-01-07 01:00 | b            | false      | Astana    | 3      |
        | c1          | 2026-01-08 01:00 | a            | false      | Almaty    | 4      |
        | c1          | 2026-01-09 01:00 | gone         | true       |           | 5      |
        | c1          | 2026-01-10 01:00 | a            | false      | Almaty    | 6      |
    """)  # fmt: skip


def test_loading_a_run_again_changes_nothing(spark: SparkSession) -> None:
    once = build(spark, ShopCustomers, [], staged(FIRST))
    again = build(spark, ShopCustomers, once, staged(FIRST))

    assert len(once) == 2
    assert again == once


def test_what_is_held_stays_when_its_run_is_no_longer_in_the_stage(spark: SparkSession) -> None:
    once = build(spark, ShopCustomers, [], staged(FIRST))
    later = staged("""
        | customer_id | run_no | taken_at         | content_hash | is_deleted |
        | c1          | 9      | 2026-02-05 01:00 | a            | false      |
        | c2          | 9      | 2026-02-05 01:00 | c            | false      |
    """)
    versions = [(r["customer_id"], r["content_hash"], r["run_no"]) for r in build(spark, ShopCustomers, once, later)]

    assert versions == [("c1", "a", 1), ("c2", "b", 1), ("c2", "c", 9)]


def test_a_person_is_a_keyed_hash_that_is_the_same_however_the_address_is_written(spark: SparkSession) -> None:
    spark.conf.set(PERSON_SECRET, "secret")
    (one, other) = build(spark, ShopCustomers, [], staged("""
        | customer_id | run_no | taken_at         | email        | phone      |
        | c1          | 1      | 2026-01-05 01:00 | Dana@mail.kz |            |
        | c2          | 1      | 2026-01-05 01:00 | dana@mail.kz | +7701      |
    """))  # fmt: skip

    spark.conf.unset(PERSON_SECRET)
    # printf secretdana@mail.kz | sha256sum
    assert one["email_id"] == other["email_id"] == "pc6811fceed86aa678a00"
    assert one["phone_id"] is None
    assert other["phone_id"].startswith("p")
    assert one["email"] == "Dana@mail.kz"
