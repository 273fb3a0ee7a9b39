"""Versions of customers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from conf.spark import PERSON_SECRET
from jobs.core.errors import Failed
from schemas.contract import contract
from schemas.derive.fakes import Row
from schemas.shop.silver import ShopCustomers
from schemas.shop.stage import CustomersStaged
from tests.support.tables import table_from_text
from tests.support.transforms import assert_builds, build

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(autouse=True)
def _secret(spark: SparkSession) -> Iterator[None]:
    before = spark.conf.get(PERSON_SECRET)
    assert before
    spark.conf.set(PERSON_SECRET, "secret")
    yield
    spark.conf.set(PERSON_SECRET, before)


def test_without_a_secret_nobody_is_hashed(spark: SparkSession) -> None:
    spark.conf.unset(PERSON_SECRET)
    with pytest.raises(Failed, match="no secret"):
        build(spark, ShopCustomers, [], staged(FIRST))
    spark.conf.set(PERSON_SECRET, "")
    with pytest.raises(Failed, match="no secret"):
        build(spark, ShopCustomers, [], staged(FIRST))


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


def test_of_who_is_deleted_no_version_keeps_the_person_and_who_comes_back_is_known_anew(spark: SparkSession) -> None:
    text = """
        | customer_id | run_no | taken_at   | content_hash | is_deleted | name | email   | phone | address | city_name |
        | c1          | 1      | 2026-01-05 | a            | false      | Dana | d@x.kz  | +7701 | Abai 1  | Almaty    |
        | c2          | 1      | 2026-01-05 | b            | false      | Aset | a@x.kz  | +7702 | Abai 2  | Astana    |
    """
    held = build(spark, ShopCustomers, [], staged(text))
    gone = staged("""
        | customer_id | run_no | taken_at   | content_hash | is_deleted | name | email | phone | address | city_name |
        | c1          | 2      | 2026-01-06 | gone         | true       |      |       |       |         |           |
    """)
    # The run that had the person may still lie in the stage.
    after = build(spark, ShopCustomers, held, [*staged(text), *gone])
    rows = ["name", "email", "phone", "address", "email_id", "phone_id"]
    assert [(r["customer_id"], r["city_name"], [r[c] for c in rows]) for r in after[:2]] == [
        ("c1", "Almaty", [None] * 6), ("c1", None, [None] * 6),
    ]  # fmt: skip
    assert after[2] == held[1]
    assert all(held[1][c] for c in rows)

    back = build(spark, ShopCustomers, after, staged("""
        | customer_id | run_no | taken_at   | content_hash | is_deleted | name | email   | phone | address | city_name |
        | c1          | 3      | 2026-01-07 | a            | false      | Dana | d@x.kz  | +7701 | Abai 1  | Almaty    |
    """))  # fmt: skip
    assert [r["name"] for r in back] == [None, None, "Dana", "Aset"]


def test_a_person_is_a_keyed_hash_that_is_the_same_however_the_address_is_written(spark: SparkSession) -> None:
    (one, other) = build(spark, ShopCustomers, [], staged("""
        | customer_id | run_no | taken_at         | is_deleted | email        | phone      |
        | c1          | 1      | 2026-01-05 01:00 | false      | Dana@mail.kz |            |
        | c2          | 1      | 2026-01-05 01:00 | false      | dana@mail.kz | +7701      |
    """))  # fmt: skip

    # printf secretdana@mail.kz | sha256sum
    assert one["email_id"] == other["email_id"] == "pc6811fceed86aa678a00"
    assert one["phone_id"] is None
    assert other["phone_id"].startswith("p")
    assert one["email"] == "Dana@mail.kz"
