"""Purchase lines drawn as text, with what follows from the drawn columns calculated."""

from __future__ import annotations

import zlib

from schemas.contract import contract
from schemas.derive.fakes import Row
from schemas.purchases.silver import PurchaseLines
from tests.support.tables import table_from_text

LINES = contract(PurchaseLines)


def purchase_lines(text: str) -> list[Row]:
    """Whole lines from a drawing that shows at least event_id, line_no, quantity, line_amount and purchased_at."""
    rows = table_from_text(LINES, text)
    first: dict[str, Row] = {}
    for row in rows:
        # Fakes differ from row to row, but the lines of a purchase have one customer.
        row["customer_id"] = first.setdefault(row["event_id"], row)["customer_id"]
        row["event_hash"] = zlib.crc32(row["event_id"].encode())
        row["sold_on"] = row["purchased_at"].date()
        row["is_return"] = row["quantity"] < 0
        row["line_units"] = int(row["line_amount"] * 10_000)
    return rows
