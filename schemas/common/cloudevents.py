"""CloudEvents 1.0 on a Kafka record: who writes one, writes it so."""

from __future__ import annotations

from datetime import UTC, datetime

Headers = list[tuple[str, bytes]]


def cloud_event(event_id: str, event_type: str, source: str, time: str | None) -> Headers:
    """The attributes of CloudEvents 1.0 as its Kafka binding writes them. The stream looks at ce_id first."""
    headers = [
        ("ce_id", event_id.encode()),
        ("ce_type", event_type.encode()),
        ("ce_source", source.encode()),
        ("ce_specversion", b"1.0"),
        ("content-type", b"application/json"),
    ]
    if time:
        headers.append(("ce_time", time.encode()))
    return headers


def instant(moment: datetime) -> str:
    """UTC with a Z. The moment must carry its zone."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
