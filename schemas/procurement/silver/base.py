"""What each silver table of procurement begins with."""

from schemas.common.columns import CHANGED_AT, COLLECTION_CODE, LINE_NO, TIMES_TEXT
from schemas.common.envelope import Envelope
from schemas.contract import Replacing, col
from schemas.contract.types import CODE, FLAG, INSTANT
from schemas.procurement.endpoints import by_name

GOSZAKUP = "kz.goszakup."
HASHED = "A person's is a keyed hash."

# What other tables refer to.
PARTY = "silver.procurement_parties.party_id"
PLANNING_ITEM = "silver.procurement_planning_items.planning_item_id"
TENDER = "silver.procurement_tenders.tender_id"
LOT = "silver.procurement_lots.lot_id"
CONTRACT = "silver.procurement_contracts.contract_id"
AWARD = "silver.procurement_awards.award_id"

# The journal's words for what a row may be deleted with.
SUBJECT_WORDS, PLANNING_WORDS, TENDER_WORDS, APPLICATION_WORDS, CONTRACT_WORDS = (
    by_name()[name].services for name in ("subject_all", "plans_all", "trd_buy_all", "trd_app", "contract_all")
)


class Registered(Envelope):
    """What every silver table of procurement begins with.

    A row is one version of what it describes: it stays when a newer one comes. The newest is the one that changed
    last, of those the one that came last.
    """

    collection_code = COLLECTION_CODE(key=True, source_fields="collection_code @collection")
    changed_at = CHANGED_AT(
        note="where the source does not say, when it was fetched",
        source_fields="changed_at index_date last_update_date timestamp edit_date date_action @ce_time",
    )
    fetched_at = col(INSTANT, "When it was fetched.", optional=True, source_fields="@ce_time")
    source_code = col(
        CODE, "The register's kind of row, such as contract, or contract_short for what only some fields are known of.",
        source_fields="@type",
    )  # fmt: skip
    line_no = LINE_NO(key=True)
    times_text = TIMES_TEXT(note="in the zone of the register", optional=True, serving=False)


class Published(Registered):
    """What a table begins with that files of OCDS fill too: they are published again and again, and each time whole."""

    is_published = col(
        FLAG, "False for a version that says that the publisher no longer has it; `_latest` leaves it out.",
        optional=True, source_fields="is_published",
    )  # fmt: skip


def versions(*entity: str) -> Replacing:
    """ClickHouse's side of a table that keeps versions: copies of an event are one row, versions stay."""
    return Replacing(
        order_by=("collection_code", *entity, "event_id", "line_no"), version="arrival", dedup_window=20_000
    )


def entry(dictionary: str, column: str = "item_id") -> str:
    """What a code refers to (`refers_to`): the entry of a dictionary, by its number or its own code."""
    return f"silver.procurement_{dictionary}.{column}"
