"""The last step of every transform."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from jobs.core.conform import conform
from jobs.core.errors import Failed
from tests.support.sample_contracts import SAMPLE_DAILY

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

GOOD = "'s1' AS seller_id, DATE'2026-01-05' AS sold_on, 3 AS a_kzt, 1.5 AS b_kzt, 1.5 AS c_kzt"


def test_columns_get_the_order_and_the_types_of_the_contract(spark: SparkSession) -> None:
    rows = conform(spark.sql(f"SELECT {', '.join(reversed(GOOD.split(', ')))}"), SAMPLE_DAILY)

    assert rows.dtypes == [(c.name, c.type.spark) for c in SAMPLE_DAILY.columns]
    assert rows.collect()[0]["a_kzt"] == Decimal("3.0000")


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (GOOD.replace(", 1.5 AS c_kzt", ""), r"gold\.sample_daily is built without c_kzt\."),
        (f"{GOOD}, 1 AS more", r"built with more, which its contract does not have\."),
        (f"{GOOD}, 1 AS a_kzt", r"built with a_kzt more than once\."),
    ],
)
def test_surprises_are_refused(spark: SparkSession, columns: str, sentence: str) -> None:
    with pytest.raises(Failed, match=sentence):
        conform(spark.sql(f"SELECT {columns}"), SAMPLE_DAILY)
