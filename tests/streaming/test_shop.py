"""Changes of the shop's database, from the outbox's record to silver."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import orjson

from schemas.contract import contract
from schemas.shop.events import CHANGED
from schemas.shop.silver import ShopChanges
from streaming.core import parse
from streaming.core.registry import domains
from tests.support.verdicts import KAFKA

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_change_is_one_row_and_an_unknown_shape_is_refused(spark: SparkSession) -> None:
    (domain,) = (d for d in domains() if d.name == "shop")
    (branch,) = domain.branches
    payloads = [
        ("shop.product.changed", {"entity": "product", "product_id": "P1", "seller_id": "s", "name": "Tea",
                                  "product_name": "Tea", "category_name": "food", "price_amount": 950.5,
                                  "currency_code": "KZT", "is_active": False,
                                  "changed_at": "2026-03-01T11:59:58.123456+00:00"}),
        ("shop.customer.deleted", {"entity": "customer", "customer_id": "C1", "city_name": "Oral",
                                   "changed_at": "2026-03-01T16:59:59+05:00"}),
        ("shop.seller.changed", {"entity": "seller"}),
    ]  # fmt: skip
    rows = [
        ("shop-changes", 0, offset, AT, [("ce_id", b"%d" % offset), ("ce_type", kind.encode())], None, orjson.dumps(p))
        for offset, (kind, p) in enumerate(payloads)
    ]
    raw = parse.records(spark.createDataFrame(rows, KAFKA))
    result = [
        (r.entity_code, r.entity_id, r.action_code, r.changed_at.astimezone(UTC).isoformat(), r.seller_id, r.city_name)
        for r in branch.rows(raw).orderBy("kafka_offset").collect()
    ]

    assert result == [
        ("product", "P1", "changed", "2026-03-01T11:59:58.123456+00:00", "s", None),
        ("customer", "C1", "deleted", "2026-03-01T11:59:59+00:00", None, "Oral"),
    ]
    columns = ("product_name", "price_amount", "currency_code", "is_active")
    assert [tuple(r[c] for c in columns) for r in branch.rows(raw).orderBy("kafka_offset").collect()] == [
        ("Tea", Decimal("950.5"), "KZT", False), (None, None, None, None),
    ]  # fmt: skip
    (refused,) = branch.refused(raw.where("kafka_offset = 2")).collect()
    assert refused.rule == "entity_id.required"


def test_the_table_takes_every_kind_of_change() -> None:
    assert contract(ShopChanges).fed_by == CHANGED
    assert len(CHANGED) == 6
