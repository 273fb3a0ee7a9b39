"""What is tendered and offered."""

from schemas.common.columns import CURRENCY_CODE
from schemas.contract import col, table
from schemas.contract.types import CODE, COUNT, DAY, FLAG, ID, INSTANT, MONEY, NUMBER, TEXT
from schemas.procurement.columns import (
    BUYER_ID,
    BUYER_TAX_ID,
    DECISION_NUMBER,
    FIO,
    IS_CONSTRUCTION,
    LOT_ID,
    LOT_IDS,
    METHOD_CODE,
    QUANTITY,
    STATUS_NAME,
    SUBJECT_CODE,
    SUPPLIER_ID,
    SUPPLIER_RAW_ID,
    SUPPLIER_TAX_ID,
    TENDER_ID,
    TENDER_NUMBER,
    UNIT_AMOUNT,
)
from schemas.procurement.events import ProcurementRaw
from schemas.procurement.silver.base import (
    APPLICATION_WORDS,
    GOSZAKUP,
    LOT,
    PARTY,
    PLANNING_ITEM,
    TENDER,
    TENDER_WORDS,
    Published,
    Registered,
    entry,
    versions,
)


@table(
    "silver.procurement_tenders",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("tender_id"),
    fed_by=[f"{GOSZAKUP}trd_buy", f"{GOSZAKUP}trd_buy_short", "ocds.tender"],
    business_key=["tender_id"],
    services=TENDER_WORDS,
)
class Tenders(Published):
    """One row per version of a tender: an announcement of what is to be bought."""

    tender_id = TENDER_ID(note="the register's number", key=True, source_fields="tender_id id")
    number = col(
        TEXT,
        "Number of the announcement, such as 415500-1.",
        optional=True,
        source_fields="number number_anno",
        lookup=True,
    )
    name = col(TEXT, "What is bought.", optional=True, source_fields="name name_ru")
    organiser_tax_id = col(
        ID, "BIN of the organiser.", optional=True, source_fields="organiser_code org_bin", mask="code", lookup=True
    )
    organiser_id = col(ID, "The organiser.", optional=True, source_fields="organiser_id org_pid", refers_to=PARTY)
    buyer_tax_id = BUYER_TAX_ID(
        note="empty where several buy", optional=True, source_fields="buyer_code customer_bin", mask="code", lookup=True
    )
    method_code = METHOD_CODE(
        optional=True, source_fields="method_code ref_trade_methods_id", refers_to=entry("ref_trade_methods")
    )
    subject_code = SUBJECT_CODE(
        optional=True, source_fields="subject_code ref_subject_type_id", refers_to=entry("ref_subject_type")
    )
    kind_code = col(
        CODE, "First or repeated.", optional=True, source_fields="ref_type_trade_id", refers_to=entry("ref_type_trade")
    )
    status_code = col(
        CODE,
        "Status.",
        optional=True,
        source_fields="status_code ref_buy_status_id",
        refers_to=entry("ref_buy_status"),
        lookup=True,
    )
    total_amount = col(MONEY, "Sum planned.", optional=True, source_fields="total_amount total_sum")
    currency_code = CURRENCY_CODE(source_fields="currency_code =KZT")
    lot_count = col(
        COUNT, "Lots; empty where the source names none.", optional=True, source_fields="lot_count count_lots"
    )
    tenderer_count = col(COUNT, "Bidders, where the source counts them.", optional=True, source_fields="tenderer_count")
    tenderer_ids = col(
        TEXT, "The bidders, as a JSON list, where the source names them with the tender.", optional=True,
        source_fields="tenderer_ids", refers_to=PARTY,
    )  # fmt: skip
    supplier_tax_id = SUPPLIER_TAX_ID(
        note="named beforehand, where there is only one", optional=True, source_fields="biin_supplier", mask="code"
    )
    parent_id = col(ID, "The tender that it repeats.", optional=True, source_fields="parent_id", refers_to=TENDER)
    published_at = col(INSTANT, "When it was published.", optional=True, source_fields="published_at publish_date")
    started_at = col(
        INSTANT, "When bids could be handed in.", optional=True, source_fields="started_at repeat_start_date start_date"
    )
    ended_at = col(INSTANT, "Until when.", optional=True, source_fields="ended_at repeat_end_date end_date")
    awarded_at = col(
        INSTANT, "When its outcome was published.", optional=True, source_fields="awarded_at itogi_date_public"
    )
    is_construction = IS_CONSTRUCTION(optional=True, source_fields="is_construction_work")


@table(
    "silver.procurement_lots",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("lot_id"),
    fed_by=[f"{GOSZAKUP}lots", "ocds.lot"],
    business_key=["lot_id"],
    services=["lot", "lots"],
    deleted_with={"tender_id": TENDER_WORDS},
)
class Lots(Published):
    """One row per version of a lot of a tender."""

    lot_id = LOT_ID(note="the register's number", key=True, source_fields="lot_id id")
    number = col(TEXT, "Number of the lot.", optional=True, source_fields="number lot_number", lookup=True)
    tender_id = TENDER_ID(optional=True, source_fields="tender_id trd_buy_id", refers_to=TENDER, lookup=True)
    tender_number = TENDER_NUMBER(optional=True, source_fields="tender_number trd_buy_number_anno", lookup=True)
    name = col(TEXT, "What is bought.", optional=True, source_fields="name name_ru")
    description = col(TEXT, "More about it.", optional=True, source_fields="description description_ru")
    buyer_id = BUYER_ID(optional=True, source_fields="buyer_id customer_id", refers_to=PARTY)
    buyer_tax_id = BUYER_TAX_ID(optional=True, source_fields="buyer_code customer_bin", mask="code", lookup=True)
    quantity = QUANTITY(optional=True, source_fields="quantity count")
    total_amount = col(MONEY, "Sum planned.", optional=True, source_fields="total_amount amount")
    currency_code = CURRENCY_CODE(source_fields="currency_code =KZT")
    method_code = METHOD_CODE(
        optional=True, source_fields="method_code ref_trade_methods_id", refers_to=entry("ref_trade_methods")
    )
    status_code = col(
        CODE,
        "Status.",
        optional=True,
        source_fields="status_code ref_lot_status_id",
        refers_to=entry("ref_lots_status"),
        lookup=True,
    )
    planning_item_ids = col(
        TEXT,
        "The planned items it buys, as a JSON list.",
        optional=True,
        source_fields="planning_item_ids point_list",
        refers_to=PLANNING_ITEM,
    )
    is_dumping = col(FLAG, "Whether a bid was suspiciously low.", optional=True, source_fields="dumping")
    is_construction = IS_CONSTRUCTION(optional=True, source_fields="is_construction_work")


@table(
    "silver.procurement_tender_pauses",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("pause_id"),
    fed_by=[f"{GOSZAKUP}trd_buy_pause"],
    business_key=["pause_id"],
    deleted_with={"tender_id": TENDER_WORDS},
)
class TenderPauses(Registered):
    """One row per version of a tender's pause."""

    pause_id = col(ID, "The register's number of the pause.", key=True, source_fields="id")
    tender_id = TENDER_ID(source_fields="trd_buy_id @parent", refers_to=TENDER, lookup=True)
    status_code = col(CODE, "Status.", optional=True, source_fields="status")
    status_name = STATUS_NAME(optional=True, source_fields="status_name_ru")
    solution_name = col(TEXT, "What was decided.", optional=True, source_fields="solution_name_ru")
    decision_number = DECISION_NUMBER(optional=True, source_fields="decide_number")
    decided_at = col(INSTANT, "When it was decided.", optional=True, source_fields="decide_date")
    paused_at = col(INSTANT, "Since when it pauses.", optional=True, source_fields="date_pause")
    created_at = col(INSTANT, "When it was entered.", optional=True, source_fields="date_create")
    lot_ids = LOT_IDS(note="those that pause", optional=True, source_fields="lots")


@table(
    "silver.procurement_tender_cancellations",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("cancellation_id"),
    fed_by=[f"{GOSZAKUP}trd_buy_cancel"],
    business_key=["cancellation_id"],
    deleted_with={"tender_id": TENDER_WORDS},
)
class TenderCancellations(Registered):
    """One row per version of a tender's cancellation."""

    cancellation_id = col(ID, "The register's number of the cancellation.", key=True, source_fields="id")
    tender_id = TENDER_ID(source_fields="trd_buy_id @parent", refers_to=TENDER, lookup=True)
    decision_number = DECISION_NUMBER(optional=True, source_fields="number_decision")
    authority = col(TEXT, "Who decided.", optional=True, source_fields="name_authority")
    act_name = col(TEXT, "Kind of act.", optional=True, source_fields="act_type_name_ru")
    action_code = col(
        CODE, "What became of the tender, such as canceledTrade.", optional=True, source_fields="type_actions_code"
    )
    action_name = col(TEXT, "The same in words.", optional=True, source_fields="type_actions_name_ru")
    decided_at = col(INSTANT, "When it was decided.", optional=True, source_fields="date_decision")
    created_at = col(INSTANT, "When it was entered.", optional=True, source_fields="date_create")


@table(
    "silver.procurement_commission_members",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("member_id"),
    fed_by=[f"{GOSZAKUP}trd_buy_commission"],
    business_key=["member_id"],
    deleted_with={"tender_id": TENDER_WORDS},
)
class CommissionMembers(Registered):
    """One row per version of a member of a tender's commission."""

    member_id = col(ID, "The register's number of the member.", key=True, source_fields="id")
    tender_id = TENDER_ID(source_fields="trd_buy_id @parent", refers_to=TENDER, lookup=True)
    fio = FIO(optional=True, serving=False, source_fields="fio")
    person_id = col(ID, "Keyed hash of the person's name.", optional=True, source_fields="fio", mask="person")
    role_code = col(
        CODE,
        "Role in the commission.",
        optional=True,
        source_fields="ref_comm_roles_id",
        refers_to=entry("ref_comm_roles"),
    )
    employer_tax_id = col(ID, "BIN of the employer.", optional=True, source_fields="bin", mask="code")
    is_active = col(FLAG, "Whether still a member.", optional=True, source_fields="active")


@table(
    "silver.procurement_bids",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("bid_id"),
    fed_by=[f"{GOSZAKUP}trd_app", "ocds.bid"],
    rows_at="app_lots",
    rows_of="application_id",
    business_key=["bid_id"],
    deleted_with={"application_id": APPLICATION_WORDS},
)
class Bids(Published):
    """One row per version of a supplier's bid for a lot, or for the tender as a whole."""

    bid_id = col(ID, "The register's number of the bid for the lot.", key=True, source_fields="app_lots.id")
    application_id = col(
        ID, "The application, which may hold bids for several lots.", source_fields="application_id id"
    )
    tender_id = TENDER_ID(optional=True, source_fields="tender_id buy_id", refers_to=TENDER, lookup=True)
    lot_id = LOT_ID(
        note="empty where the bid is for the tender as a whole",
        optional=True,
        source_fields="app_lots.lot_id",
        refers_to=LOT,
        lookup=True,
    )
    supplier_id = SUPPLIER_ID(optional=True, source_fields="supplier_id", refers_to=PARTY)
    supplier_raw_id = SUPPLIER_RAW_ID(optional=True, serving=False, source_fields="supplier_biin supplier_bin_iin")
    supplier_tax_id = SUPPLIER_TAX_ID(
        optional=True, source_fields="supplier_biin supplier_bin_iin", mask="code", lookup=True
    )
    status_code = col(
        CODE,
        "Status, such as 360 for the winner.",
        optional=True,
        source_fields="app_lots.status_id",
        refers_to=entry("ref_po_st"),
        lookup=True,
    )
    unit_amount = UNIT_AMOUNT(optional=True, source_fields="app_lots.price")
    total_amount = col(MONEY, "Sum offered.", optional=True, source_fields="app_lots.amount")
    currency_code = CURRENCY_CODE(source_fields="currency_code =KZT")
    discount_pct = col(NUMBER, "Conditional discount, percent.", optional=True, source_fields="app_lots.discount_value")
    discounted_amount = col(
        MONEY, "Price with the conditional discount.", optional=True, source_fields="app_lots.discount_price"
    )
    protocol_number = col(TEXT, "Number of the protocol.", optional=True, source_fields="prot_number")
    submitted_at = col(INSTANT, "When it was handed in.", optional=True, source_fields="submitted_at date_apply")
    submitted_on = col(
        DAY, "The same day, in the register's zone.", optional=True, source_fields="submitted_at date_apply"
    )


@table(
    "silver.procurement_deletions",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("service_name", "object_id"),
    fed_by=[f"{GOSZAKUP}deleted", f"{GOSZAKUP}plans_deleted"],
    business_key=["service_name", "object_id"],
)
class Deletions(Registered):
    """One row per deletion that a register told of; it closes all versions that changed before it.

    The list of deleted plans says of some that they are not: the last word on a plan holds.
    """

    service_name = col(TEXT, "The journal's word for the register.", key=True, source_fields="service_name =plans")
    object_id = col(ID, "The number of what was deleted.", key=True, source_fields="object_id id")
    is_deleted = col(
        FLAG, "False where the register says it is not, or no longer, deleted; empty in the journal.", optional=True,
        source_fields="is_deleted",
    )  # fmt: skip
