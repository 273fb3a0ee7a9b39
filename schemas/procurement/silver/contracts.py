"""Procurement, cleaned: contracts and what came of them, debarments, dictionaries."""

from schemas.common.columns import CURRENCY_CODE
from schemas.contract import col, table
from schemas.contract.types import CODE, FLAG, ID, INSTANT, MONEY, NUMBER, TEXT
from schemas.procurement.columns import (
    APPROVED_AT,
    BUYER_ID,
    BUYER_TAX_ID,
    CONTRACT_ID,
    FIN_YEAR,
    LOT_ID,
    LOT_IDS,
    METHOD_CODE,
    PLANNING_ITEM_ID,
    QUANTITY,
    SPECIFIC_CODE,
    STATUS_NAME,
    SUPPLIER_ID,
    SUPPLIER_RAW_ID,
    SUPPLIER_TAX_ID,
    TENDER_ID,
    TENDER_NUMBER,
    TOTAL_VAT_AMOUNT,
    UNIT_AMOUNT,
)
from schemas.procurement.endpoints import ENDPOINTS
from schemas.procurement.events import ProcurementRaw
from schemas.procurement.silver.base import (
    AWARD,
    CONTRACT,
    CONTRACT_WORDS,
    GOSZAKUP,
    LOT,
    PARTY,
    PLANNING_ITEM,
    TENDER,
    Published,
    Registered,
    entry,
    versions,
)

DICTIONARIES = tuple(e.event_type for e in ENDPOINTS if e.path.startswith("/v3/refs/") and e.event_type)


@table(
    "silver.procurement_contracts",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("contract_id"),
    fed_by=[f"{GOSZAKUP}contract", f"{GOSZAKUP}contract_short", "ocds.contract"],
    business_key=["contract_id"],
    services=CONTRACT_WORDS,
)
class Contracts(Published):
    """One row per version of a contract or of an addendum to one, which is a row with a number of its own."""

    contract_id = CONTRACT_ID(
        note="the register's number of the contract or addendum", key=True, source_fields="contract_id id"
    )
    parent_id = col(ID, "What an addendum changes.", optional=True, source_fields="parent_id", refers_to=CONTRACT)
    root_id = col(
        ID,
        "The contract at the chain's beginning.",
        optional=True,
        source_fields="root_id",
        refers_to=CONTRACT,
        lookup=True,
    )
    number = col(TEXT, "Number of the contract.", optional=True, source_fields="number contract_number", lookup=True)
    system_number = col(
        TEXT, "Number in the register of contracts.", optional=True, source_fields="contract_number_sys", lookup=True
    )
    tender_id = TENDER_ID(
        note="0 where there was none",
        optional=True,
        source_fields="tender_id trd_buy_id",
        refers_to=TENDER,
        lookup=True,
    )
    tender_number = TENDER_NUMBER(optional=True, source_fields="tender_number trd_buy_number_anno", lookup=True)
    lot_ids = LOT_IDS(
        note="those it fulfils, where the source says so", optional=True, source_fields="lot_ids", refers_to=LOT
    )
    award_ids = col(
        TEXT, "The awards it fulfils, as a JSON list, where the source says so.", optional=True,
        source_fields="award_ids", refers_to=AWARD,
    )  # fmt: skip
    kind_code = col(
        CODE,
        "1 contract, 2 addendum.",
        optional=True,
        source_fields="kind_code ref_contract_type_id",
        refers_to=entry("ref_contract_type"),
    )
    status_code = col(
        CODE,
        "Status.",
        optional=True,
        source_fields="status_code ref_contract_status_id",
        refers_to=entry("ref_contract_status"),
        lookup=True,
    )
    buyer_id = BUYER_ID(optional=True, source_fields="buyer_id customer_id", refers_to=PARTY)
    buyer_tax_id = BUYER_TAX_ID(optional=True, source_fields="buyer_code customer_bin", mask="code", lookup=True)
    supplier_id = SUPPLIER_ID(optional=True, source_fields="supplier_id", refers_to=PARTY)
    supplier_raw_id = SUPPLIER_RAW_ID(optional=True, serving=False, source_fields="supplier_biin")
    supplier_tax_id = SUPPLIER_TAX_ID(optional=True, source_fields="supplier_biin", mask="code", lookup=True)
    total_amount = col(MONEY, "Sum without VAT.", optional=True, source_fields="total_amount contract_sum")
    total_vat_amount = TOTAL_VAT_AMOUNT(optional=True, source_fields="total_vat_amount contract_sum_wnds total_amount")
    paid_vat_amount = col(MONEY, "Sum that was carried out, with VAT.", optional=True, source_fields="fakt_sum_wnds")
    currency_code = CURRENCY_CODE(source_fields="currency_code ref_currency_code =KZT")
    fin_year = FIN_YEAR(optional=True, source_fields="fin_year", lookup=True)
    method_code = METHOD_CODE(
        optional=True, source_fields="method_code fakt_trade_methods_id", refers_to=entry("ref_trade_methods")
    )
    description = col(TEXT, "What it is about.", optional=True, source_fields="description description_ru")
    created_at = col(INSTANT, "When it was entered.", optional=True, source_fields="created_at crdate")
    signed_at = col(INSTANT, "When it was signed.", optional=True, source_fields="signed_at sign_date")
    planned_end_at = col(INSTANT, "Until when it was to be carried out.", optional=True,
                         source_fields="planned_end_at plan_exec_date ec_end_date")  # fmt: skip
    ended_at = col(INSTANT, "When it was carried out.", optional=True, source_fields="ended_at fakt_exec_date")
    terminated_at = col(INSTANT, "When it was broken off.", optional=True, source_fields="contract_end_date")
    cancel_code = col(
        CODE,
        "Why it was broken off.",
        optional=True,
        source_fields="ref_contract_cancel_id",
        refers_to=entry("ref_contract_cancel"),
    )
    amendment_codes = col(
        TEXT, "Why an addendum was made, as a JSON list.", optional=True, source_fields="ref_amendm_agreem_justif_id"
    )
    is_deleted = col(FLAG, "Whether the register counts it as deleted.", optional=True, source_fields="deleted")


@table(
    "silver.procurement_contract_items",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("item_id"),
    fed_by=[f"{GOSZAKUP}contract_unit", "ocds.contract_item"],
    business_key=["item_id"],
    deleted_with={"contract_id": CONTRACT_WORDS},
)
class ContractItems(Published):
    """One row per version of an item of a contract."""

    item_id = col(
        ID,
        "The register's number of the item.",
        key=True,
        source_fields="item_id id",
        differs="an item of a contract, not an entry of a dictionary",
    )
    contract_id = CONTRACT_ID(source_fields="contract_id contract_registry_id @parent", refers_to=CONTRACT, lookup=True)
    lot_id = LOT_ID(note="0 where there was none", optional=True, source_fields="lot_id", refers_to=LOT, lookup=True)
    planning_item_id = PLANNING_ITEM_ID(
        optional=True, source_fields="planning_item_id pln_point_id", refers_to=PLANNING_ITEM
    )
    tender_id = TENDER_ID(optional=True, source_fields="tender_id trd_buy_id", refers_to=TENDER)
    quantity = QUANTITY(optional=True, source_fields="quantity")
    unit_amount = UNIT_AMOUNT(note="without VAT", optional=True, source_fields="unit_amount item_price")
    total_amount = col(MONEY, "Sum without VAT.", optional=True, source_fields="total_amount total_sum")
    total_vat_amount = TOTAL_VAT_AMOUNT(optional=True, source_fields="total_sum_wnds total_amount")
    done_amount = col(MONEY, "What was carried out, without VAT.", optional=True, source_fields="fact_sum")
    currency_code = CURRENCY_CODE(source_fields="currency_code =KZT")
    local_content_pct = col(NUMBER, "Share of local content, percent.", optional=True, source_fields="ks_proc")
    planned_at = col(INSTANT, "When it was to be carried out.", optional=True, source_fields="exec_plan_date")
    done_at = col(INSTANT, "When it was carried out.", optional=True, source_fields="exec_fakt_date")
    budget = col(TEXT, "Its budget lines, as JSON.", optional=True, source_fields="spec")
    is_done = col(FLAG, "Whether it was carried out.", optional=True, source_fields="executed")
    is_deleted = col(FLAG, "Whether the register counts it as deleted.", optional=True, source_fields="deleted")


@table(
    "silver.procurement_acts",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("act_id"),
    fed_by=[f"{GOSZAKUP}acts", "ocds.milestone"],
    business_key=["act_id"],
    services=["act", "acts", "contractact"],
)
class Acts(Published):
    """One row per version of an act: what of a contract was delivered and accepted (a milestone)."""

    act_id = col(ID, "The register's number of the act.", key=True, source_fields="act_id id")
    contract_id = CONTRACT_ID(optional=True, source_fields="contract_id", refers_to=CONTRACT, lookup=True)
    root_contract_id = col(
        ID,
        "The contract at the chain's beginning.",
        optional=True,
        source_fields="root_contract_id contract_root_id",
        refers_to=CONTRACT,
        lookup=True,
    )
    number = col(TEXT, "Number of the act.", optional=True, source_fields="number number_act")
    status_code = col(
        CODE, "Status; 15 is approved.", optional=True, source_fields="status_code status_id", lookup=True
    )
    status_name = STATUS_NAME(optional=True, source_fields="status_name status_name_ru")
    supplier_id = SUPPLIER_ID(optional=True, source_fields="supplier_id", refers_to=PARTY, lookup=True)
    buyer_id = BUYER_ID(optional=True, source_fields="buyer_id customer_id", refers_to=PARTY, lookup=True)
    transfer_kzt = col(MONEY, "Sum to be paid for it.", optional=True, source_fields="sum_transfer")
    advance_kzt = col(MONEY, "Advance that is taken off.", optional=True, source_fields="sum_avans")
    fine_kzt = col(MONEY, "Fine.", optional=True, source_fields="sum_fine")
    overdue_days = col(NUMBER, "Days late.", optional=True, source_fields="day_overdue")
    acted_at = col(INSTANT, "Date of the act.", optional=True, source_fields="acted_at akt_date")
    approved_at = APPROVED_AT(optional=True, source_fields="approved_at approve_date")
    created_at = col(INSTANT, "When it was entered.", optional=True, source_fields="created_at create_date_act")
    is_deleted = col(FLAG, "Whether the register counts it as deleted.", optional=True, source_fields="is_deleted")


@table(
    "silver.procurement_transactions",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("transaction_id"),
    fed_by=[f"{GOSZAKUP}treasury_pay", "ocds.transaction"],
    business_key=["transaction_id"],
    services=["treasurypay"],
)
class Transactions(Published):
    """One row per version of a payment by the treasury."""

    transaction_id = col(ID, "The register's number of the payment.", key=True, source_fields="transaction_id id")
    contract_id = CONTRACT_ID(optional=True, source_fields="contract_id @parent", refers_to=CONTRACT, lookup=True)
    supplier_tax_id = SUPPLIER_TAX_ID(
        optional=True, source_fields="supplier_biin rnn_supplier", mask="code", lookup=True
    )
    paid_amount = col(MONEY, "Sum paid.", optional=True, source_fields="paid_amount pay_amount")
    currency_code = CURRENCY_CODE(source_fields="currency_code =KZT")
    description = col(TEXT, "What for.", optional=True, source_fields="description pay_description")
    payment_number = col(TEXT, "Number of the payment.", optional=True, source_fields="check_number")
    treasury_code = col(CODE, "Office of the treasury; no KATO.", optional=True, source_fields="kato")
    specific_code = SPECIFIC_CODE(optional=True, source_fields="espk")
    office_code = col(CODE, "State office that pays.", optional=True, source_fields="gu")
    paid_at = col(INSTANT, "When it was paid.", optional=True, source_fields="paid_at pay_date")
    booked_at = col(INSTANT, "When it was booked.", optional=True, source_fields="accounting_date dt_reg")


@table(
    "silver.procurement_debarments",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("system_code", "debarment_id"),
    fed_by=[f"{GOSZAKUP}rnu", f"{GOSZAKUP}rnu_entry"],
    business_key=["system_code", "debarment_id"],
    services=["rnu", "rnulist"],
)
class Debarments(Registered):
    """One row per version of an entry in the register of bad suppliers; only the entry's own page knows the periods."""

    system_code = col(CODE, "1 Mitwork, 2 Samruk, 3 Goszakup.", key=True, source_fields="system_code system_id")
    debarment_id = col(ID, "The register's number of the entry.", key=True, source_fields="debarment_id id")
    supplier_id = SUPPLIER_ID(
        note="empty where it is not registered", optional=True, source_fields="supplier_id pid", refers_to=PARTY
    )
    supplier_raw_id = SUPPLIER_RAW_ID(optional=True, serving=False, source_fields="supplier_biin")
    supplier_tax_id = SUPPLIER_TAX_ID(optional=True, source_fields="supplier_biin", mask="code", lookup=True)
    supplier_name = col(
        TEXT, "Name of the supplier; none for a person.", optional=True, source_fields="supplier_name supplier_name_ru",
        mask="supplier_biin",
    )  # fmt: skip
    buyer_tax_id = BUYER_TAX_ID(
        note="of the one who asked for it", optional=True, source_fields="customer_biin", mask="code"
    )
    court_decision = col(TEXT, "The court's decision.", optional=True, source_fields="court_decision")
    decided_at = col(INSTANT, "When the court decided.", optional=True, source_fields="court_decision_date")
    started_at = col(INSTANT, "Since when it is barred.", optional=True, source_fields="started_at start_date")
    ended_at = col(INSTANT, "Until when.", optional=True, source_fields="ended_at end_date")
    reason_code = col(CODE, "Why.", optional=True, source_fields="ref_reason_id", refers_to=entry("ref_reason"))
    kato_codes = col(TEXT, "Places, KATO, as a JSON list.", optional=True, source_fields="kato_list")


@table(
    "silver.procurement_reference_items",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("dictionary_code", "item_id"),
    fed_by=DICTIONARIES,
    business_key=["dictionary_code", "item_id"],
    split_by="dictionary_code",
)
class ReferenceItems(Registered):
    """One row per version of an entry of a register's dictionary."""

    dictionary_code = col(CODE, "The dictionary, such as ref_buy_status.", key=True, source_fields="@type")
    item_id = col(
        ID, "What other tables call it: its number, or its code where it has none.", key=True, source_fields="id code"
    )
    code = col(
        TEXT,
        "Its code, where it has one beside the number.",
        optional=True,
        source_fields="code symbol_code alpha_code",
    )
    parent_code = col(CODE, "The entry above it.", optional=True, source_fields="parent_code")
    name = col(TEXT, "Name in Russian.", optional=True, source_fields="name_ru full_name_ru cname_ru shortname_ru name")
    name_kz = col(TEXT, "Name in Kazakh.", optional=True, source_fields="name_kz full_name_kz cname_kz shortname_kz")
