"""Procurement, cleaned, in the words of OCDS where it has one: who takes part, what is tendered and offered."""

from schemas.contract import col, table
from schemas.contract.types import CODE, COUNT, DAY, FLAG, ID, INSTANT, MONEY, NUMBER, TEXT
from schemas.procurement.events import (
    APPLICATION_WORDS,
    GOSZAKUP,
    HASHED,
    LOT,
    PARTY,
    PLANNING_ITEM,
    SUBJECT_WORDS,
    TENDER,
    TENDER_WORDS,
    ProcurementRaw,
    Published,
    Registered,
    entry,
    versions,
)


@table(
    "silver.procurement_parties",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("party_id"),
    fed_by=[f"{GOSZAKUP}subject", f"{GOSZAKUP}subject_short", "ocds.party"],
    entity=["party_id"],
    services=SUBJECT_WORDS,
)
class Parties(Published):
    """One row per version of a party: whoever buys, supplies or organises."""

    party_id = col(ID, "The register's number of the party.", key=True, at="party_id pid")
    party_raw_id = col(
        ID, "BIN, or a person's IIN.", optional=True, serving=False, at="party_number party_biin bin iin"
    )
    party_tax_id = col(ID, f"BIN. {HASHED}", optional=True, at="party_biin bin iin", mask="code", lookup=True)
    name = col(TEXT, "Name in Russian; none for a person.", optional=True, at="name name_ru", mask="party_biin bin iin")
    name_kz = col(TEXT, "Name in Kazakh; none for a person.", optional=True, at="name_kz", mask="party_biin bin iin")
    party_name = col(TEXT, "Name, a person's too.", optional=True, serving=False, at="name name_ru")
    email = col(TEXT, "Electronic address.", optional=True, serving=False, at="email")
    phone = col(TEXT, "Telephone.", optional=True, serving=False, at="phone")
    country_code = col(CODE, "Country, as the register codes it.", optional=True, at="country_code")
    is_buyer = col(FLAG, "Whether it buys.", optional=True, at="is_buyer customer")
    is_supplier = col(FLAG, "Whether it supplies.", optional=True, at="is_supplier supplier")
    is_organiser = col(FLAG, "Whether it organises tenders.", optional=True, at="is_organiser organizer")
    is_tenderer = col(FLAG, "Whether it bids.", optional=True, at="is_tenderer")
    is_single_organiser = col(FLAG, "Whether it organises for others.", optional=True, at="is_single_org")
    is_resident = col(FLAG, "Whether it is a resident.", optional=True, at="mark_resident")
    kind_code = col(CODE, "1 legal entity, 2 person, 3 sole trader.", optional=True, at="kind_code type_supplier")
    registered_at = col(INSTANT, "When it was registered with the state.", optional=True, at="registered_at regdate")
    system_code = col(CODE, "The part of the portal that it comes from.", optional=True, at="system_id")


@table(
    "silver.procurement_party_addresses",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("address_id"),
    fed_by=[f"{GOSZAKUP}subject_address", "ocds.address"],
    entity=["address_id"],
    deleted_with={"party_id": SUBJECT_WORDS},
)
class PartyAddresses(Published):
    """One row per version of a party's address."""

    address_id = col(ID, "The register's number of the address.", key=True, at="address_id id")
    party_id = col(ID, "The party.", at="party_id pid @parent", refers_to=PARTY, lookup=True)
    address = col(TEXT, "Street and house; a person's are left out of ClickHouse.", optional=True, serving=False,
                  at="address")  # fmt: skip
    kind_code = col(CODE, "What the address is for.", optional=True, at="address_type")
    kato_code = col(
        CODE, "Place, KATO.", optional=True, at="kato_code", refers_to=entry("ref_kato", "code"), lookup=True
    )
    country_code = col(CODE, "Country, as the register codes it.", optional=True, at="country_code")


@table(
    "silver.procurement_employees",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("employee_id"),
    fed_by=[f"{GOSZAKUP}subject_employee"],
    entity=["employee_id"],
    deleted_with={"party_id": SUBJECT_WORDS},
)
class Employees(Registered):
    """One row per version of a person's post with a party."""

    employee_id = col(ID, "The register's number of the post.", key=True, at="id")
    party_id = col(ID, "The party.", at="pid @parent", refers_to=PARTY, lookup=True)
    fio = col(TEXT, "The person's name.", optional=True, serving=False, at="fio")
    iin = col(TEXT, "The person's IIN.", optional=True, serving=False, at="iin")
    person_id = col(ID, "Keyed hash of the person's IIN, or name.", optional=True, at="iin fio", mask="person")
    role_code = col(CODE, "The post.", optional=True, at="role")
    started_at = col(INSTANT, "Since when.", optional=True, at="start_date")
    ended_at = col(INSTANT, "Until when; none while it lasts.", optional=True, at="end_date")


@table(
    "silver.procurement_tenders",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("tender_id"),
    fed_by=[f"{GOSZAKUP}trd_buy", f"{GOSZAKUP}trd_buy_short", "ocds.tender"],
    entity=["tender_id"],
    services=TENDER_WORDS,
)
class Tenders(Published):
    """One row per version of a tender: an announcement of what is to be bought."""

    tender_id = col(ID, "The register's number of the tender.", key=True, at="tender_id id")
    number = col(
        TEXT, "Number of the announcement, such as 415500-1.", optional=True, at="number number_anno", lookup=True
    )
    name = col(TEXT, "What is bought.", optional=True, at="name name_ru")
    organiser_tax_id = col(
        ID, "BIN of the organiser.", optional=True, at="organiser_code org_bin", mask="code", lookup=True
    )
    organiser_id = col(ID, "The organiser.", optional=True, at="organiser_id org_pid", refers_to=PARTY)
    buyer_tax_id = col(
        ID,
        "BIN of the buyer; empty where several buy.",
        optional=True,
        at="buyer_code customer_bin",
        mask="code",
        lookup=True,
    )
    method_code = col(
        CODE,
        "Procurement method.",
        optional=True,
        at="method_code ref_trade_methods_id",
        refers_to=entry("ref_trade_methods"),
    )
    subject_code = col(
        CODE,
        "1 goods, 2 works, 3 services.",
        optional=True,
        at="subject_code ref_subject_type_id",
        refers_to=entry("ref_subject_type"),
    )
    kind_code = col(
        CODE, "First or repeated.", optional=True, at="ref_type_trade_id", refers_to=entry("ref_type_trade")
    )
    status_code = col(
        CODE,
        "Status.",
        optional=True,
        at="status_code ref_buy_status_id",
        refers_to=entry("ref_buy_status"),
        lookup=True,
    )
    total_amount = col(MONEY, "Sum planned.", optional=True, at="total_amount total_sum")
    currency_code = col(CODE, "Currency of the money columns, ISO 4217.", at="currency_code =KZT")
    lot_count = col(COUNT, "Lots; empty where the source names none.", optional=True, at="lot_count count_lots")
    tenderer_count = col(COUNT, "Bidders, where the source counts them.", optional=True, at="tenderer_count")
    tenderer_ids = col(
        TEXT, "The bidders, as a JSON list, where the source names them with the tender.", optional=True,
        at="tenderer_ids", refers_to=PARTY,
    )  # fmt: skip
    supplier_tax_id = col(
        ID, "The supplier named beforehand, where there is only one.", optional=True, at="biin_supplier", mask="code"
    )
    parent_id = col(ID, "The tender that it repeats.", optional=True, at="parent_id", refers_to=TENDER)
    published_at = col(INSTANT, "When it was published.", optional=True, at="published_at publish_date")
    started_at = col(
        INSTANT, "When bids could be handed in.", optional=True, at="started_at repeat_start_date start_date"
    )
    ended_at = col(INSTANT, "Until when.", optional=True, at="ended_at repeat_end_date end_date")
    awarded_at = col(INSTANT, "When its outcome was published.", optional=True, at="awarded_at itogi_date_public")
    is_construction = col(FLAG, "Whether it is construction work.", optional=True, at="is_construction_work")


@table(
    "silver.procurement_lots",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("lot_id"),
    fed_by=[f"{GOSZAKUP}lots", "ocds.lot"],
    entity=["lot_id"],
    services=["lot", "lots"],
    deleted_with={"tender_id": TENDER_WORDS},
)
class Lots(Published):
    """One row per version of a lot of a tender."""

    lot_id = col(ID, "The register's number of the lot.", key=True, at="lot_id id")
    number = col(TEXT, "Number of the lot.", optional=True, at="number lot_number", lookup=True)
    tender_id = col(ID, "The tender.", optional=True, at="tender_id trd_buy_id", refers_to=TENDER, lookup=True)
    tender_number = col(
        TEXT, "Number of the announcement.", optional=True, at="tender_number trd_buy_number_anno", lookup=True
    )
    name = col(TEXT, "What is bought.", optional=True, at="name name_ru")
    description = col(TEXT, "More about it.", optional=True, at="description description_ru")
    buyer_id = col(ID, "The buyer.", optional=True, at="buyer_id customer_id", refers_to=PARTY)
    buyer_tax_id = col(ID, "BIN of the buyer.", optional=True, at="buyer_code customer_bin", mask="code", lookup=True)
    quantity = col(NUMBER, "How many units.", optional=True, at="quantity count")
    total_amount = col(MONEY, "Sum planned.", optional=True, at="total_amount amount")
    currency_code = col(CODE, "Currency of the money columns, ISO 4217.", at="currency_code =KZT")
    method_code = col(
        CODE,
        "Procurement method.",
        optional=True,
        at="method_code ref_trade_methods_id",
        refers_to=entry("ref_trade_methods"),
    )
    status_code = col(
        CODE,
        "Status.",
        optional=True,
        at="status_code ref_lot_status_id",
        refers_to=entry("ref_lots_status"),
        lookup=True,
    )
    planning_item_ids = col(
        TEXT,
        "The planned items it buys, as a JSON list.",
        optional=True,
        at="planning_item_ids point_list",
        refers_to=PLANNING_ITEM,
    )
    is_dumping = col(FLAG, "Whether a bid was suspiciously low.", optional=True, at="dumping")
    is_construction = col(FLAG, "Whether it is construction work.", optional=True, at="is_construction_work")


@table(
    "silver.procurement_tender_pauses",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("pause_id"),
    fed_by=[f"{GOSZAKUP}trd_buy_pause"],
    entity=["pause_id"],
    deleted_with={"tender_id": TENDER_WORDS},
)
class TenderPauses(Registered):
    """One row per version of a tender's pause."""

    pause_id = col(ID, "The register's number of the pause.", key=True, at="id")
    tender_id = col(ID, "The tender.", at="trd_buy_id @parent", refers_to=TENDER, lookup=True)
    status_code = col(CODE, "Status.", optional=True, at="status")
    status_name = col(TEXT, "Status in words.", optional=True, at="status_name_ru")
    solution_name = col(TEXT, "What was decided.", optional=True, at="solution_name_ru")
    decision_number = col(TEXT, "Number of the decision.", optional=True, at="decide_number")
    decided_at = col(INSTANT, "When it was decided.", optional=True, at="decide_date")
    paused_at = col(INSTANT, "Since when it pauses.", optional=True, at="date_pause")
    created_at = col(INSTANT, "When it was entered.", optional=True, at="date_create")
    lot_ids = col(TEXT, "The lots that pause, as JSON.", optional=True, at="lots")


@table(
    "silver.procurement_tender_cancellations",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("cancellation_id"),
    fed_by=[f"{GOSZAKUP}trd_buy_cancel"],
    entity=["cancellation_id"],
    deleted_with={"tender_id": TENDER_WORDS},
)
class TenderCancellations(Registered):
    """One row per version of a tender's cancellation."""

    cancellation_id = col(ID, "The register's number of the cancellation.", key=True, at="id")
    tender_id = col(ID, "The tender.", at="trd_buy_id @parent", refers_to=TENDER, lookup=True)
    decision_number = col(TEXT, "Number of the decision.", optional=True, at="number_decision")
    authority = col(TEXT, "Who decided.", optional=True, at="name_authority")
    act_name = col(TEXT, "Kind of act.", optional=True, at="act_type_name_ru")
    action_code = col(CODE, "What became of the tender, such as canceledTrade.", optional=True, at="type_actions_code")
    action_name = col(TEXT, "The same in words.", optional=True, at="type_actions_name_ru")
    decided_at = col(INSTANT, "When it was decided.", optional=True, at="date_decision")
    created_at = col(INSTANT, "When it was entered.", optional=True, at="date_create")


@table(
    "silver.procurement_commission_members",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("member_id"),
    fed_by=[f"{GOSZAKUP}trd_buy_commission"],
    entity=["member_id"],
    deleted_with={"tender_id": TENDER_WORDS},
)
class CommissionMembers(Registered):
    """One row per version of a member of a tender's commission."""

    member_id = col(ID, "The register's number of the member.", key=True, at="id")
    tender_id = col(ID, "The tender.", at="trd_buy_id @parent", refers_to=TENDER, lookup=True)
    fio = col(TEXT, "The person's name.", optional=True, serving=False, at="fio")
    person_id = col(ID, "Keyed hash of the person's name.", optional=True, at="fio", mask="person")
    role_code = col(
        CODE, "Role in the commission.", optional=True, at="ref_comm_roles_id", refers_to=entry("ref_comm_roles")
    )
    employer_tax_id = col(ID, "BIN of the employer.", optional=True, at="bin", mask="code")
    is_active = col(FLAG, "Whether still a member.", optional=True, at="active")


@table(
    "silver.procurement_bids",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("bid_id"),
    fed_by=[f"{GOSZAKUP}trd_app", "ocds.bid"],
    rows_at="app_lots",
    rows_of="application_id",
    entity=["bid_id"],
    deleted_with={"application_id": APPLICATION_WORDS},
)
class Bids(Published):
    """One row per version of a supplier's bid for a lot, or for the tender as a whole."""

    bid_id = col(ID, "The register's number of the bid for the lot.", key=True, at="app_lots.id")
    application_id = col(ID, "The application, which may hold bids for several lots.", at="application_id id")
    tender_id = col(ID, "The tender.", optional=True, at="tender_id buy_id", refers_to=TENDER, lookup=True)
    lot_id = col(
        ID, "The lot; empty where the bid is for the tender as a whole.", optional=True, at="app_lots.lot_id",
        refers_to=LOT, lookup=True,
    )  # fmt: skip
    supplier_id = col(ID, "The supplier.", optional=True, at="supplier_id", refers_to=PARTY)
    supplier_raw_id = col(
        ID, "BIN, or a person's IIN.", optional=True, serving=False, at="supplier_biin supplier_bin_iin"
    )
    supplier_tax_id = col(
        ID,
        f"BIN of the supplier. {HASHED}",
        optional=True,
        at="supplier_biin supplier_bin_iin",
        mask="code",
        lookup=True,
    )
    status_code = col(
        CODE,
        "Status, such as 360 for the winner.",
        optional=True,
        at="app_lots.status_id",
        refers_to=entry("ref_po_st"),
        lookup=True,
    )
    unit_amount = col(MONEY, "Price of a unit.", optional=True, at="app_lots.price")
    total_amount = col(MONEY, "Sum offered.", optional=True, at="app_lots.amount")
    currency_code = col(CODE, "Currency of the money columns, ISO 4217.", at="currency_code =KZT")
    discount_pct = col(NUMBER, "Conditional discount, percent.", optional=True, at="app_lots.discount_value")
    discounted_amount = col(MONEY, "Price with the conditional discount.", optional=True, at="app_lots.discount_price")
    protocol_number = col(TEXT, "Number of the protocol.", optional=True, at="prot_number")
    submitted_at = col(INSTANT, "When it was handed in.", optional=True, at="submitted_at date_apply")
    submitted_on = col(DAY, "The same day, in the register's zone.", optional=True, at="submitted_at date_apply")


@table(
    "silver.procurement_deletions",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("service_name", "object_id"),
    fed_by=[f"{GOSZAKUP}deleted", f"{GOSZAKUP}plans_deleted"],
    entity=["service_name", "object_id"],
)
class Deletions(Registered):
    """One row per deletion that a register told of; it closes all versions that changed before it.

    The list of deleted plans says of some that they are not: the last word on a plan holds.
    """

    service_name = col(TEXT, "The journal's word for the register.", key=True, at="service_name =plans")
    object_id = col(ID, "The number of what was deleted.", key=True, at="object_id id")
    is_deleted = col(
        FLAG, "False where the register says it is not, or no longer, deleted; empty in the journal.", optional=True,
        at="is_deleted",
    )  # fmt: skip
