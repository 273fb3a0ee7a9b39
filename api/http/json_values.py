"""Values of PostgreSQL and of contracts, as they are answered in JSON."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from conf.postgres_values import Unreadable
from schemas.common.cloudevents import instant


def json_value(value: Any) -> Any:
    """A value in JSON: amounts as texts, so that no reader rounds them; times in UTC with a Z."""
    if isinstance(value, Unreadable):
        return None
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    return value
