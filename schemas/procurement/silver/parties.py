"""Who takes part in procurement: parties, their addresses and employees."""

from schemas.common.columns import ADDRESS, EMAIL, PHONE
from schemas.contract import col, table
from schemas.contract.types import CODE, FLAG, ID, INSTANT, TEXT
from schemas.procurement.columns import COUNTRY_CODE, FIO, KATO_CODE, PARTY_ID, PARTY_TAX_ID
from schemas.procurement.events import ProcurementRaw
from schemas.procurement.silver.base import GOSZAKUP, PARTY, SUBJECT_WORDS, Published, Registered, entry, versions


@table(
    "silver.procurement_parties",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("party_id"),
    fed_by=[f"{GOSZAKUP}subject", f"{GOSZAKUP}subject_short", "ocds.party"],
    business_key=["party_id"],
    services=SUBJECT_WORDS,
)
class Parties(Published):
    """One row per version of a party: whoever buys, supplies or organises."""

    party_id = PARTY_ID(note="the register's number", key=True, source_fields="party_id pid")
    party_raw_id = col(
        ID, "BIN, or a person's IIN.", optional=True, serving=False, source_fields="party_number party_biin bin iin"
    )
    party_tax_id = PARTY_TAX_ID(
        note="a person's is a keyed hash", optional=True, source_fields="party_biin bin iin", mask="code", lookup=True
    )
    name = col(
        TEXT,
        "Name in Russian; none for a person.",
        optional=True,
        source_fields="name name_ru",
        mask="party_biin bin iin",
    )
    name_kz = col(
        TEXT, "Name in Kazakh; none for a person.", optional=True, source_fields="name_kz", mask="party_biin bin iin"
    )
    party_name = col(TEXT, "Name, a person's too.", optional=True, serving=False, source_fields="name name_ru")
    email = EMAIL(optional=True, serving=False, source_fields="email")
    phone = PHONE(optional=True, serving=False, source_fields="phone")
    country_code = COUNTRY_CODE(optional=True, source_fields="country_code")
    is_buyer = col(FLAG, "Whether it buys.", optional=True, source_fields="is_buyer customer")
    is_supplier = col(FLAG, "Whether it supplies.", optional=True, source_fields="is_supplier supplier")
    is_organiser = col(FLAG, "Whether it organises tenders.", optional=True, source_fields="is_organiser organizer")
    is_tenderer = col(FLAG, "Whether it bids.", optional=True, source_fields="is_tenderer")
    is_single_organiser = col(FLAG, "Whether it organises for others.", optional=True, source_fields="is_single_org")
    is_resident = col(FLAG, "Whether it is a resident.", optional=True, source_fields="mark_resident")
    kind_code = col(
        CODE, "1 legal entity, 2 person, 3 sole trader.", optional=True, source_fields="kind_code type_supplier"
    )
    registered_at = col(
        INSTANT, "When it was registered with the state.", optional=True, source_fields="registered_at regdate"
    )
    system_code = col(CODE, "The part of the portal that it comes from.", optional=True, source_fields="system_id")


@table(
    "silver.procurement_party_addresses",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("address_id"),
    fed_by=[f"{GOSZAKUP}subject_address", "ocds.address"],
    business_key=["address_id"],
    deleted_with={"party_id": SUBJECT_WORDS},
)
class PartyAddresses(Published):
    """One row per version of a party's address."""

    address_id = col(ID, "The register's number of the address.", key=True, source_fields="address_id id")
    party_id = PARTY_ID(source_fields="party_id pid @parent", refers_to=PARTY, lookup=True)
    address = ADDRESS(note="ClickHouse does not hold it", optional=True, serving=False, source_fields="address")
    kind_code = col(CODE, "What the address is for.", optional=True, source_fields="address_type")
    kato_code = KATO_CODE(optional=True, source_fields="kato_code", refers_to=entry("ref_kato", "code"), lookup=True)
    country_code = COUNTRY_CODE(optional=True, source_fields="country_code")


@table(
    "silver.procurement_employees",
    refresh="stream",
    built_from=[ProcurementRaw],
    clickhouse=versions("employee_id"),
    fed_by=[f"{GOSZAKUP}subject_employee"],
    business_key=["employee_id"],
    deleted_with={"party_id": SUBJECT_WORDS},
)
class Employees(Registered):
    """One row per version of a person's post with a party."""

    employee_id = col(ID, "The register's number of the post.", key=True, source_fields="id")
    party_id = PARTY_ID(source_fields="pid @parent", refers_to=PARTY, lookup=True)
    fio = FIO(optional=True, serving=False, source_fields="fio")
    iin = col(TEXT, "The person's IIN.", optional=True, serving=False, source_fields="iin")
    person_id = col(
        ID, "Keyed hash of the person's IIN, or name.", optional=True, source_fields="iin fio", mask="person"
    )
    role_code = col(CODE, "The post.", optional=True, source_fields="role")
    started_at = col(INSTANT, "Since when.", optional=True, source_fields="start_date")
    ended_at = col(INSTANT, "Until when; none while it lasts.", optional=True, source_fields="end_date")
