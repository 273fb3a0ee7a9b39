"""Procurement, cleaned: what buyers plan to buy."""

from schemas.common.columns import CURRENCY_CODE
from schemas.contract import col, table
from schemas.contract.types import CODE, COUNT, ID, INSTANT, MONEY, NUMBER, TEXT
from schemas.procurement.columns import (
    APPROVED_AT,
    BUYER_ID,
    BUYER_TAX_ID,
    COUNTRY_CODE,
    FIN_YEAR,
    KATO_CODE,
    METHOD_CODE,
    PARTY_ID,
    PARTY_TAX_ID,
    PLANNING_ITEM_ID,
    QUANTITY,
    SPECIFIC_CODE,
    SUBJECT_CODE,
    UNIT_AMOUNT,
)
from schemas.procurement.events import ProcurementRaw
from schemas.procurement.silver.base import (
    GOSZAKUP,
    PARTY,
    PLANNING_ITEM,
    PLANNING_WORDS,
    Published,
    Registered,
    entry,
    versions,
)


@table(
    "silver.procurement_planners",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("party_id"),
    fed_by=[f"{GOSZAKUP}plans_customer"],
    business_key=["party_id"],
)
class Planners(Registered):
    """One row per version of a buyer that has yearly plans."""

    party_id = PARTY_ID(note="the buyer", key=True, source_fields="pid", refers_to=PARTY)
    party_tax_id = PARTY_TAX_ID(note="the buyer", optional=True, source_fields="bin", mask="code", lookup=True)
    plan_count = col(COUNT, "Its plans.", optional=True, source_fields="doc_count")


@table(
    "silver.procurement_planning_items",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("planning_item_id"),
    fed_by=[f"{GOSZAKUP}plans", "ocds.planning_item"],
    business_key=["planning_item_id"],
    services=PLANNING_WORDS,
)
class PlanningItems(Published):
    """One row per version of a point of a yearly plan."""

    planning_item_id = PLANNING_ITEM_ID(
        note="the register's number of the point", key=True, source_fields="planning_item_id id"
    )
    root_item_id = col(ID, "The point's first version.", optional=True, source_fields="rootrecord_id")
    plan_number = col(TEXT, "Number of the plan's act.", optional=True, source_fields="plan_act_number", lookup=True)
    fin_year = FIN_YEAR(optional=True, source_fields="fin_year plan_fin_year pln_point_year", lookup=True)
    buyer_id = BUYER_ID(optional=True, source_fields="buyer_id sys_subjects_id", refers_to=PARTY)
    buyer_tax_id = BUYER_TAX_ID(optional=True, source_fields="buyer_code subject_biin", mask="code", lookup=True)
    name = col(TEXT, "What is to be bought.", optional=True, source_fields="name name_ru")
    description = col(TEXT, "More about it.", optional=True, source_fields="description desc_ru")
    enstru_code = col(
        CODE, "Class of goods, works or services, ENS TRU.", optional=True, source_fields="enstru_code ref_enstru_code"
    )
    method_code = METHOD_CODE(
        optional=True, source_fields="method_code ref_trade_methods_id", refers_to=entry("ref_trade_methods")
    )
    subject_code = SUBJECT_CODE(
        optional=True, source_fields="subject_code ref_subject_types_id", refers_to=entry("ref_subject_type")
    )
    unit_code = col(
        CODE,
        "Unit of measure.",
        optional=True,
        source_fields="unit_code ref_units_code",
        refers_to=entry("ref_units", "code"),
    )
    quantity = QUANTITY(optional=True, source_fields="quantity count")
    unit_amount = UNIT_AMOUNT(optional=True, source_fields="unit_amount price")
    total_amount = col(MONEY, "Sum planned.", optional=True, source_fields="total_amount amount")
    currency_code = CURRENCY_CODE(source_fields="currency_code =KZT")
    prepayment_pct = col(NUMBER, "Prepayment, percent.", optional=True, source_fields="prepayment")
    month_code = col(
        CODE, "Month of the purchase.", optional=True, source_fields="ref_months_id", refers_to=entry("ref_months")
    )
    status_code = col(
        CODE,
        "Status of the point.",
        optional=True,
        source_fields="status_code ref_pln_point_status_id",
        refers_to=entry("ref_pln_point_status"),
        lookup=True,
    )
    financing_code = col(
        CODE, "Source of the money.", optional=True, source_fields="ref_finsource_id", refers_to=entry("ref_finsource")
    )
    abp_code = col(
        CODE,
        "Administrator of the budget programme.",
        optional=True,
        source_fields="ref_abp_code",
        refers_to=entry("ref_abp", "code"),
    )
    approved_at = APPROVED_AT(optional=True, source_fields="approved_at date_approved")
    created_at = col(INSTANT, "When it was entered.", optional=True, source_fields="created_at date_create")


@table(
    "silver.procurement_planning_deliveries",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("delivery_id"),
    fed_by=[f"{GOSZAKUP}plans_kato"],
    business_key=["delivery_id"],
    services=["planskato", "plnpointskato"],
    deleted_with={"planning_item_id": PLANNING_WORDS},
)
class PlanningDeliveries(Registered):
    """One row per version of a place to which a planned item is to be delivered."""

    delivery_id = col(ID, "The register's number of the place.", key=True, source_fields="id")
    planning_item_id = PLANNING_ITEM_ID(source_fields="pln_points_id", refers_to=PLANNING_ITEM, lookup=True)
    kato_code = KATO_CODE(
        optional=True, source_fields="ref_kato_code", refers_to=entry("ref_kato", "code"), lookup=True
    )
    country_code = COUNTRY_CODE(optional=True, source_fields="ref_countries_code")
    place = col(TEXT, "The place in words.", optional=True, source_fields="full_delivery_place_name_ru")
    quantity = QUANTITY(note="those that go there", optional=True, source_fields="count")


@table(
    "silver.procurement_planning_finances",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("finance_id"),
    fed_by=[f"{GOSZAKUP}plans_spec"],
    business_key=["finance_id"],
    services=["plansspec", "plnpointsspec"],
    deleted_with={"planning_item_id": PLANNING_WORDS},
)
class PlanningFinances(Registered):
    """One row per version of a budget line from which a planned item is to be paid."""

    finance_id = col(ID, "The register's number of the line.", key=True, source_fields="id")
    planning_item_id = PLANNING_ITEM_ID(source_fields="pln_points_id", refers_to=PLANNING_ITEM, lookup=True)
    program_code = col(
        CODE,
        "Budget programme.",
        optional=True,
        source_fields="ref_fkrb_program_id",
        refers_to=entry("ref_fkrb_program"),
    )
    subprogram_code = col(
        CODE,
        "Budget subprogramme.",
        optional=True,
        source_fields="ref_fkrb_subprogram_id",
        refers_to=entry("ref_fkrb_subprogram"),
    )
    specific_code = SPECIFIC_CODE(optional=True, source_fields="ref_ekrb_id", refers_to=entry("ref_ekrb"))
    quantity = QUANTITY(optional=True, source_fields="count")
    unit_kzt = col(MONEY, "Price of a unit.", optional=True, source_fields="price")
    total_kzt = col(MONEY, "Sum planned.", optional=True, source_fields="amount")
