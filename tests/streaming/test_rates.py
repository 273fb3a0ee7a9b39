"""Exchange rates, from the record to silver."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from ingestion.core.message import cloud_event
from schemas.rates import EXCHANGE_RATE, TOPIC
from streaming.core import parse
from streaming.core.registry import domains
from tests.support.verdicts import KAFKA

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = {"base_currency_code": "KZT", "currency_code": "USD", "quoted_on": "2026-01-05", "rate": "510.25"}


def raw(spark: SparkSession, *payloads: dict[str, Any]) -> DataFrame:
    rows = [
        (TOPIC, 0, n, AT, cloud_event(str(n), EXCHANGE_RATE, "test", "2026-01-05T11:00:00Z"), None, orjson.dumps(p))
        for n, p in enumerate(payloads)
    ]
    return parse.records(spark.createDataFrame(rows, KAFKA))


def test_a_rate_is_one_row(spark: SparkSession) -> None:
    (domain,) = (d for d in domains() if d.name == "rates")
    (branch,) = domain.branches
    (one, many) = (
        branch.rows(raw(spark, GOOD, GOOD | {"rate": 4.25, "quantity": 100, "source": "a.csv:7"}))
        .orderBy("kafka_offset").collect()
    )  # fmt: skip

    assert (one.base_currency_code, one.currency_code, one.quoted_on) == ("KZT", "USD", date(2026, 1, 5))
    assert (one.rate, one.quantity, one.source) == (Decimal("510.25"), Decimal(1), "test")
    assert (many.rate, many.quantity, many.source) == (Decimal("4.25"), Decimal(100), "a.csv:7")
    assert one.changed_at.astimezone(UTC) == datetime(2026, 1, 5, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [({"rate": "0"}, "rate.type"), ({"rate": "-510"}, "rate.type"), ({"rate": "1e2"}, "rate.type"),
     ({"rate": "0.0000000000001"}, "rate.type"), ({"rate": "510,25"}, "rate.type"), ({"rate": None}, "rate.required"),
     ({"quantity": 0}, "quantity.type"), ({"quoted_on": "05.01.2026"}, "quoted_on.type"),
     ({"currency_code": " "}, "currency_code.required")],
)  # fmt: skip
def test_what_is_no_rate_is_refused_by_name(spark: SparkSession, wrong: dict[str, Any], rule: str) -> None:
    (domain,) = (d for d in domains() if d.name == "rates")
    (branch,) = domain.branches
    records = raw(spark, GOOD | wrong)

    assert branch.rows(records).count() == 0
    assert [row.rule for row in branch.refused(records).collect()] == [rule]
