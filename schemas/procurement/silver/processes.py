"""Procurement, cleaned: contracting processes as red flags compare them."""

from schemas.contract import col, table
from schemas.contract.types import CODE, COUNT, ID, TEXT
from schemas.procurement.events import ProcurementRaw
from schemas.procurement.silver.base import Published, versions


@table(
    "silver.procurement_processes",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("process_id"),
    fed_by=["ocds.process"],
    business_key=["process_id"],
)
class Processes(Published):
    """One row per version of a contracting process of OCDS, in its publisher's own words.

    The red flags that are defined on OCDS read it, so nothing in it is translated. Who bids is in the lake only, since
    publishers name persons by numbers of their own; `silver.procurement_bids` has bids in Sauda's words.
    """

    process_id = col(ID, "The ocid.", key=True, source_fields="process_id")
    published_status_code = col(CODE, "Status of the tender.", optional=True, source_fields="status")
    published_method_code = col(
        CODE, "Procurement method of OCDS: open, selective, limited or direct.", optional=True, source_fields="method"
    )
    method_details = col(TEXT, "The publisher's own name of the method.", optional=True, source_fields="method_details")
    period_start_text = col(
        TEXT, "When bids could be handed in, as it was written.", optional=True, source_fields="starts"
    )
    period_end_text = col(TEXT, "Until when, as it was written.", optional=True, source_fields="ends")
    published_tenderer_count = col(COUNT, "Bidders, as counted by the publisher.", optional=True,
                                   source_fields="tenderer_count")  # fmt: skip
    published_buyer_id = col(ID, "The buyer's id.", optional=True, source_fields="buyer", serving=False)
    published_organiser_id = col(
        ID, "The procuring entity's id.", optional=True, source_fields="organiser", serving=False
    )
    bid_count = col(COUNT, "Bids, whatever became of them.", optional=True, source_fields="bid_count")
    bids = col(
        TEXT, "Bids as a JSON list: status, date, amount, currency, and the tenderers' ids; empty for more than 5,000.",
        optional=True, source_fields="bids", serving=False,
    )  # fmt: skip
    awards = col(
        TEXT, "Awards as a JSON list: status, the suppliers' ids, and codes of the items.", optional=True,
        source_fields="awards", serving=False,
    )  # fmt: skip
