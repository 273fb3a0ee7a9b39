"""Procurement, cleaned: what was awarded to whom."""

from schemas.common.columns import CURRENCY_CODE
from schemas.contract import col, table
from schemas.contract.types import CODE, ID, INSTANT, MONEY, TEXT
from schemas.procurement.columns import (
    BUYER_ID,
    BUYER_TAX_ID,
    LOT_IDS,
    METHOD_CODE,
    SUPPLIER_ID,
    SUPPLIER_RAW_ID,
    SUPPLIER_TAX_ID,
    TENDER_ID,
    TENDER_NUMBER,
)
from schemas.procurement.events import ProcurementRaw
from schemas.procurement.silver.base import LOT, PARTY, TENDER, Published, versions


@table(
    "silver.procurement_awards",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("award_id"),
    fed_by=["ocds.award"],
    business_key=["award_id"],
)
class Awards(Published):
    """One row per version of an award: what a supplier, or several together, are to deliver, and for how much.

    Many publishers of OCDS end here, without contracts. goszakup has no awards: there the winner is a bid's status.
    """

    award_id = col(ID, "The award.", key=True, source_fields="award_id")
    number = col(TEXT, "What the publisher calls it within its process.", optional=True, source_fields="number")
    tender_id = TENDER_ID(optional=True, source_fields="tender_id", refers_to=TENDER, lookup=True)
    tender_number = TENDER_NUMBER(optional=True, source_fields="tender_number", lookup=True)
    lot_ids = LOT_IDS(
        note="those awarded, or none for the tender as a whole",
        optional=True,
        source_fields="lot_ids",
        refers_to=LOT,
    )
    application_ids = col(TEXT, "The bids that won, as a JSON list, where the source names them.", optional=True,
                          source_fields="application_ids")  # fmt: skip
    status_code = col(CODE, "Status, in the words of OCDS.", optional=True, source_fields="status_code", lookup=True)
    buyer_id = BUYER_ID(optional=True, source_fields="buyer_id", refers_to=PARTY)
    buyer_tax_id = BUYER_TAX_ID(
        note="elsewhere than in Kazakhstan another tax number",
        optional=True,
        source_fields="buyer_code",
        mask="code",
        lookup=True,
    )
    supplier_id = SUPPLIER_ID(
        note="of several that deliver together the ids with + between, as in bids and contracts",
        optional=True,
        source_fields="supplier_id",
    )
    supplier_ids = col(
        TEXT,
        "The suppliers, each by itself, as a JSON list.",
        optional=True,
        source_fields="supplier_ids",
        refers_to=PARTY,
    )
    supplier_raw_id = SUPPLIER_RAW_ID(
        note="elsewhere than in Kazakhstan another tax number",
        optional=True,
        serving=False,
        source_fields="supplier_biin",
    )
    supplier_tax_id = SUPPLIER_TAX_ID(
        note="elsewhere than in Kazakhstan another tax number",
        optional=True,
        source_fields="supplier_biin",
        mask="code",
        lookup=True,
    )
    total_amount = col(MONEY, "What it is worth, of all its suppliers and lots together.", optional=True,
                       source_fields="total_amount")  # fmt: skip
    currency_code = CURRENCY_CODE(note="XXX where none is stated", source_fields="currency_code =XXX")  # fmt: skip
    method_code = METHOD_CODE(optional=True, source_fields="method_code")
    description = col(TEXT, "What it is about.", optional=True, source_fields="description")
    awarded_at = col(INSTANT, "When it was decided.", optional=True, source_fields="awarded_at")
    planned_start_at = col(
        INSTANT, "Since when it is to be carried out.", optional=True, source_fields="planned_start_at"
    )
    planned_end_at = col(INSTANT, "Until when.", optional=True, source_fields="planned_end_at")
