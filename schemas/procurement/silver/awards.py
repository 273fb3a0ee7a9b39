"""Procurement, cleaned: what was awarded to whom."""

from schemas.contract import col, table
from schemas.contract.types import CODE, ID, INSTANT, MONEY, TEXT
from schemas.procurement.events import HASHED, LOT, PARTY, TENDER, ProcurementRaw, Published, versions


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
    tender_id = col(ID, "The tender.", optional=True, source_fields="tender_id", refers_to=TENDER, lookup=True)
    tender_number = col(TEXT, "Number of the announcement.", optional=True, source_fields="tender_number", lookup=True)
    lot_ids = col(
        TEXT, "The lots that are awarded, as a JSON list; empty for the tender as a whole.", optional=True,
        source_fields="lot_ids", refers_to=LOT,
    )  # fmt: skip
    application_ids = col(TEXT, "The bids that won, as a JSON list, where the source names them.", optional=True,
                          source_fields="application_ids")  # fmt: skip
    status_code = col(CODE, "Status, in the words of OCDS.", optional=True, source_fields="status_code", lookup=True)
    buyer_id = col(ID, "The buyer.", optional=True, source_fields="buyer_id", refers_to=PARTY)
    buyer_tax_id = col(ID, "Number of the buyer.", optional=True, source_fields="buyer_code", mask="code", lookup=True)
    supplier_id = col(
        ID, "The supplier; of several that deliver together the ids with + between, as in bids and contracts.",
        optional=True, source_fields="supplier_id",
    )  # fmt: skip
    supplier_ids = col(
        TEXT,
        "The suppliers, each by itself, as a JSON list.",
        optional=True,
        source_fields="supplier_ids",
        refers_to=PARTY,
    )
    supplier_raw_id = col(ID, "Number, a person's too.", optional=True, serving=False, source_fields="supplier_biin")
    supplier_tax_id = col(
        ID, f"Number of the supplier. {HASHED}", optional=True, source_fields="supplier_biin", mask="code", lookup=True
    )
    total_amount = col(MONEY, "What it is worth, of all its suppliers and lots together.", optional=True,
                       source_fields="total_amount")  # fmt: skip
    currency_code = col(
        CODE, "Currency of the money columns, ISO 4217; XXX where none is stated.", source_fields="currency_code =XXX"
    )  # fmt: skip
    method_code = col(CODE, "Procurement method.", optional=True, source_fields="method_code")
    description = col(TEXT, "What it is about.", optional=True, source_fields="description")
    awarded_at = col(INSTANT, "When it was decided.", optional=True, source_fields="awarded_at")
    planned_start_at = col(
        INSTANT, "Since when it is to be carried out.", optional=True, source_fields="planned_start_at"
    )
    planned_end_at = col(INSTANT, "Until when.", optional=True, source_fields="planned_end_at")
