"""Procurement, cleaned: what buyers plan to buy."""

from schemas.contract import col, table
from schemas.contract.types import CODE, COUNT, ID, INSTANT, MONEY, NUMBER, TEXT
from schemas.procurement.events import (
    GOSZAKUP,
    PARTY,
    PLANNING_ITEM,
    PLANNING_WORDS,
    ProcurementRaw,
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
    entity=["party_id"],
)
class Planners(Registered):
    """One row per version of a buyer that has yearly plans."""

    party_id = col(ID, "The buyer.", key=True, at="pid", refers_to=PARTY)
    party_tax_id = col(ID, "BIN of the buyer.", optional=True, at="bin", mask="code", lookup=True)
    plan_count = col(COUNT, "Its plans.", optional=True, at="doc_count")


@table(
    "silver.procurement_planning_items",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("planning_item_id"),
    fed_by=[f"{GOSZAKUP}plans", "ocds.planning_item"],
    entity=["planning_item_id"],
    services=PLANNING_WORDS,
)
class PlanningItems(Published):
    """One row per version of a point of a yearly plan."""

    planning_item_id = col(ID, "The register's number of the point.", key=True, at="planning_item_id id")
    root_item_id = col(ID, "The point's first version.", optional=True, at="rootrecord_id")
    plan_number = col(TEXT, "Number of the plan's act.", optional=True, at="plan_act_number", lookup=True)
    fin_year = col(TEXT, "Financial year.", optional=True, at="fin_year plan_fin_year pln_point_year", lookup=True)
    buyer_id = col(ID, "The buyer.", optional=True, at="buyer_id sys_subjects_id", refers_to=PARTY)
    buyer_tax_id = col(ID, "BIN of the buyer.", optional=True, at="buyer_code subject_biin", mask="code", lookup=True)
    name = col(TEXT, "What is to be bought.", optional=True, at="name name_ru")
    description = col(TEXT, "More about it.", optional=True, at="description desc_ru")
    enstru_code = col(
        CODE, "Class of goods, works or services, ENS TRU.", optional=True, at="enstru_code ref_enstru_code"
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
        at="subject_code ref_subject_types_id",
        refers_to=entry("ref_subject_type"),
    )
    unit_code = col(
        CODE, "Unit of measure.", optional=True, at="unit_code ref_units_code", refers_to=entry("ref_units", "code")
    )
    quantity = col(NUMBER, "How many units.", optional=True, at="quantity count")
    unit_amount = col(MONEY, "Price of a unit.", optional=True, at="unit_amount price")
    total_amount = col(MONEY, "Sum planned.", optional=True, at="total_amount amount")
    currency_code = col(CODE, "Currency of the money columns, ISO 4217.", at="currency_code =KZT")
    prepayment_pct = col(NUMBER, "Prepayment, percent.", optional=True, at="prepayment")
    month_code = col(CODE, "Month of the purchase.", optional=True, at="ref_months_id", refers_to=entry("ref_months"))
    status_code = col(
        CODE,
        "Status of the point.",
        optional=True,
        at="status_code ref_pln_point_status_id",
        refers_to=entry("ref_pln_point_status"),
        lookup=True,
    )
    financing_code = col(
        CODE, "Source of the money.", optional=True, at="ref_finsource_id", refers_to=entry("ref_finsource")
    )
    abp_code = col(
        CODE,
        "Administrator of the budget programme.",
        optional=True,
        at="ref_abp_code",
        refers_to=entry("ref_abp", "code"),
    )
    approved_at = col(INSTANT, "When it was approved.", optional=True, at="approved_at date_approved")
    created_at = col(INSTANT, "When it was entered.", optional=True, at="created_at date_create")


@table(
    "silver.procurement_planning_deliveries",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("delivery_id"),
    fed_by=[f"{GOSZAKUP}plans_kato"],
    entity=["delivery_id"],
    services=["planskato", "plnpointskato"],
    deleted_with={"planning_item_id": PLANNING_WORDS},
)
class PlanningDeliveries(Registered):
    """One row per version of a place to which a planned item is to be delivered."""

    delivery_id = col(ID, "The register's number of the place.", key=True, at="id")
    planning_item_id = col(ID, "The planned item.", at="pln_points_id", refers_to=PLANNING_ITEM, lookup=True)
    kato_code = col(
        CODE, "Place, KATO.", optional=True, at="ref_kato_code", refers_to=entry("ref_kato", "code"), lookup=True
    )
    country_code = col(CODE, "Country, as the register codes it.", optional=True, at="ref_countries_code")
    place = col(TEXT, "The place in words.", optional=True, at="full_delivery_place_name_ru")
    quantity = col(NUMBER, "How many units go there.", optional=True, at="count")


@table(
    "silver.procurement_planning_finances",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("finance_id"),
    fed_by=[f"{GOSZAKUP}plans_spec"],
    entity=["finance_id"],
    services=["plansspec", "plnpointsspec"],
    deleted_with={"planning_item_id": PLANNING_WORDS},
)
class PlanningFinances(Registered):
    """One row per version of a budget line from which a planned item is to be paid."""

    finance_id = col(ID, "The register's number of the line.", key=True, at="id")
    planning_item_id = col(ID, "The planned item.", at="pln_points_id", refers_to=PLANNING_ITEM, lookup=True)
    program_code = col(
        CODE, "Budget programme.", optional=True, at="ref_fkrb_program_id", refers_to=entry("ref_fkrb_program")
    )
    subprogram_code = col(
        CODE, "Budget subprogramme.", optional=True, at="ref_fkrb_subprogram_id", refers_to=entry("ref_fkrb_subprogram")
    )
    specific_code = col(CODE, "Budget specific, EKRB.", optional=True, at="ref_ekrb_id", refers_to=entry("ref_ekrb"))
    quantity = col(NUMBER, "How many units.", optional=True, at="count")
    unit_kzt = col(MONEY, "Price of a unit.", optional=True, at="price")
    total_kzt = col(MONEY, "Sum planned.", optional=True, at="amount")
