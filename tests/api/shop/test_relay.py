"""The outbox's rows as Kafka gets them. Who relays, and what a crash leaves, is tested in tests/services."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from api.shop.relay import record
from conf.postgres_values import Unreadable


def test_a_row_of_the_outbox_is_a_cloud_event() -> None:
    created = record(
        {
            "position": 7, "event_id": UUID("7d3f5f0e-6f0a-5b53-9a53-6d2f3c5a1b11"), "topic": "shop-changes",
            "key": "product:P1", "event_type": "shop.product.changed",
            "payload": '{"price_amount": 12345678901234.5000, "name": "Шай"}',
            "created_at": datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
        }
    )  # fmt: skip

    assert created.key == b"product:P1"
    assert created.value == '{"price_amount": 12345678901234.5000, "name": "Шай"}'.encode()
    assert created.headers == [
        ("ce_id", b"7d3f5f0e-6f0a-5b53-9a53-6d2f3c5a1b11"),
        ("ce_type", b"shop.product.changed"),
        ("ce_source", b"/shop"),
        ("ce_specversion", b"1.0"),
        ("content-type", b"application/json"),
        ("ce_time", b"2026-01-31T09:30:00Z"),
    ]


def test_a_row_whose_time_cannot_be_read_goes_without_one() -> None:
    created = record(
        {
            "event_id": UUID("7d3f5f0e-6f0a-5b53-9a53-6d2f3c5a1b11"), "key": "product:P1",
            "event_type": "shop.product.changed", "payload": "{}", "created_at": Unreadable("-infinity"),
        }
    )  # fmt: skip

    assert "ce_time" not in dict(created.headers)
