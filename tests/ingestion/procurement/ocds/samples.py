"""Small files of OCDS by hand, and what is sent of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from ingestion.core.message import Message
from ingestion.procurement.ocds.persons import Persons
from ingestion.procurement.ocds.source import OcdsFiles

NOW = datetime(2026, 2, 1, 11, tzinfo=UTC)
Json = dict[str, Any]

BUYER = {"id": "XX-1", "name": "Ministry", "identifier": {"scheme": "XX", "id": "1"}, "roles": ["buyer"]}
WINNER: Json = {
    "id": "XX-2", "name": "Winner Ltd", "identifier": {"scheme": "XX", "id": "2"}, "roles": ["tenderer", "supplier"],
    "contactPoint": {"email": "a@b.example", "telephone": "+1"},
    "address": {"streetAddress": "2 Low St", "locality": "Oslo"},
}  # fmt: skip
LOSER = {"id": "XX-3", "name": "Loser Ltd", "roles": ["tenderer"]}

TENDER = {
    "ocid": "ocds-x-1", "id": "1", "date": "2026-01-01T00:00:00Z", "tag": ["tender"], "buyer": {"id": "XX-1"},
    "parties": [BUYER],
    "tender": {
        "id": "T1", "title": "Paper", "status": "active", "procurementMethod": "open",
        "mainProcurementCategory": "goods", "value": {"amount": 1500.50, "currency": "EUR"},
        "procuringEntity": {"id": "XX-1"},
        "tenderPeriod": {"startDate": "2026-01-02", "endDate": "2026-01-10T12:00:00+06:00"},
        "lots": [
            {"id": "1", "title": "White", "status": "active", "value": {"amount": 1000, "currency": "EUR"}},
            {"id": 2, "title": "Blue", "status": "Cancelled"},
        ],
        "items": [
            {"id": "a", "description": "A4", "quantity": 2.5, "relatedLot": "1",
             "unit": {"id": "KG", "value": {"amount": 400, "currency": "EUR"}},
             "classification": {"scheme": "CPV", "id": "30197630"}},
        ],
    },
}  # fmt: skip
AWARD: Json = {
    "ocid": "ocds-x-1", "id": "2", "date": "2026-01-20T00:00:00Z", "tag": ["award"], "parties": [BUYER, WINNER, LOSER],
    "tender": {"id": "T1", "status": "complete"},
    "bids": {
        "details": [
            {"id": "b1", "date": "2026-01-05T10:00:00Z", "status": "valid", "tenderers": [{"id": "XX-2"}],
             "value": {"amount": 900.10, "currency": "EUR"}, "relatedLots": ["1"]},
            {"id": "b2", "status": "Qualified", "tenderers": [{"id": "XX-3"}],
             "value": {"amount": 950, "currency": "EUR"}, "relatedLots": ["1", "2"]},
        ]
    },
    "awards": [
        {"id": "w", "status": "active", "date": "2026-01-20T00:00:00Z", "suppliers": [{"id": "XX-2"}],
         "value": {"amount": 900.10, "currency": "EUR"}, "relatedLots": ["1"]},
    ],
}  # fmt: skip
CONTRACT = {
    "ocid": "ocds-x-1", "id": "3", "date": "2026-01-30T00:00:00Z", "tag": ["contract"],
    "contracts": [
        {"id": "c", "awardID": "w", "status": "active", "title": "Supply of paper",
         "dateSigned": "2026-01-25T00:00:00Z", "period": {"endDate": "2026-12-31"},
         "items": [{"id": "a", "quantity": 2, "relatedLot": "1"}],
         "amendments": [{"id": "am", "date": "2026-01-29T00:00:00Z"}],
         "implementation": {
             "milestones": [{"id": "m", "status": "met", "dateMet": "2026-01-28T00:00:00Z"}],
             "transactions": [{"id": "t", "date": "2026-01-29T00:00:00Z", "value": {"amount": 1e2, "currency": "EUR"}}],
         }},
    ],
}  # fmt: skip


def package(*releases: Json) -> Json:
    """A release package of 1.1."""
    return {"uri": "https://x.example", "version": "1.1", "publisher": {"name": "X"}, "releases": list(releases)}


def written(path: Path, *values: Any) -> Path:
    """A file with one JSON value a line."""
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")
    return path


def opened(path: Path, statuses: Path | None = None, sentences: list[str] | None = None) -> OcdsFiles:
    return OcdsFiles(path, "x", (sentences if sentences is not None else []).append, NOW, Persons("salt"), statuses)


def sent(path: Path, statuses: Path | None = None) -> list[Message]:
    return list(opened(path, statuses).messages())


def bodies(path: Path, kind: str = "", statuses: Path | None = None) -> list[Json]:
    """The values of events of a kind, such as tender."""
    messages = [m for m in sent(path, statuses) if dict(m.headers)["ce_type"].decode() == f"ocds.{kind}" or not kind]
    return [orjson.loads(m.value or b"") for m in messages]
