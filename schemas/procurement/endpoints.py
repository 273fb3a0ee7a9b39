"""The 74 endpoints of goszakup as rows of one table.

Standard library only, for it is read wherever contracts are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from schemas.procurement import fields as f

Answer = Literal["page", "object", "html", "graphql"]
Schedule = Literal["daily", "weekly", "detail", "lookup"]
Mode = Literal["head", "full", "changes", "detail", "lookup"]
VERSIONS = ("index_date", "timestamp", "last_update_date")


@dataclass(frozen=True)
class Endpoint:
    """One path of the service.

    `key` are the fields that name a row; of alternatives in `parent_field` the first that is filled counts.
    `schedule` says when it is asked: daily and weekly ones belong to every load, a detail is asked for what changed in
    its `parent`, a lookup only when it is named. `mode` says how a register is walked once it has been loaded: `head`
    from the newest id to a known one, `full` to its end, `changes` from a date.
    `ascending` walks come in the order of their codes. `item_of` names the register whose single row a path gives.
    `repairs` are paths that the service's own cursors name by mistake. `services` are the journal's words for a
    register, in small letters without signs.
    """

    number: int
    name: str
    path: str
    sample: str = ""
    event: str = ""
    key: tuple[str, ...] = ("id",)
    answer: Answer = "page"
    schedule: Schedule = "lookup"
    mode: Mode = "lookup"
    query: tuple[str, ...] = ()
    method: Literal["GET", "POST"] = "GET"
    ascending: bool = False
    parent: str = ""
    parent_field: tuple[str, ...] = ()
    item_of: str = ""
    repairs: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the documented sample."""
        return tuple(self.sample.split())

    @property
    def known_fields(self) -> frozenset[str]:
        """All fields that are no news."""
        return frozenset(self.fields) | frozenset(f.MORE.get(self.sample, "").split())

    @property
    def version(self) -> str | None:
        """The field that grows when a row changes, where there is one."""
        return next((name for name in VERSIONS if name in self.known_fields), None)

    @property
    def event_type(self) -> str | None:
        """The CloudEvents type of its rows; None for what is shown and not sent."""
        return f"kz.goszakup.{self.event}" if self.event else None

    @property
    def descends(self) -> bool:
        """Whether each cursor must be a smaller number than the one before."""
        return self.answer == "page" and not self.ascending and self.key in (("id",), ("pid",))

    @property
    def parameter(self) -> str:
        """What a path stands open for: its name in braces, or its query parameter; empty where it is complete."""
        if "{" in self.path:
            return self.path.partition("{")[2].partition("}")[0]
        return self.query[0] if self.query == ("number",) else ""


def _register(
    number: int, name: str, path: str, sample: str, event: str, services: str = "", key: tuple[str, ...] = ("id",),
    schedule: Schedule = "daily", mode: Mode = "head", repairs: tuple[str, ...] = (),
) -> Endpoint:  # fmt: skip
    return Endpoint(
        number, name, path, sample, event, key, schedule=schedule, mode=mode, repairs=repairs,
        services=tuple(services.split()),
    )  # fmt: skip


def _item(number: int, name: str, path: str, sample: str, event: str, of: str, key: str = "id") -> Endpoint:
    return Endpoint(number, name, path, sample, event, (key,), "object", mode="detail", item_of=of)


def _detail(number: int, name: str, path: str, sample: str, event: str, parent: str, *field: str) -> Endpoint:
    return Endpoint(
        number, name, path, sample, event, schedule="detail", mode="detail", parent=parent, parent_field=field
    )


def _dictionary(number: int, name: str, sample: str, key: str = "id", *, by_code: bool = False) -> Endpoint:
    return Endpoint(
        number, name, f"/v3/refs/{name}", sample, name, (key,), schedule="weekly", mode="full",
        ascending=by_code or key == "code",
    )  # fmt: skip


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(1, "schema", "/help/v3/schema/", answer="html"),
    Endpoint(2, "graphql", "/v3/graphql", answer="graphql", method="POST"),
    Endpoint(
        3, "journal", "/v3/journal", f.JOURNAL, "deleted", ("service_name", "object_id"), schedule="daily",
        mode="changes", query=("date_from", "date_to"),
    ),
    Endpoint(4, "subject", "/v3/subject", f.SUBJECT_SHORT, "subject_short", ("pid",)),
    _register(5, "subject_all", "/v3/subject/all", f.SUBJECT, "subject", "subject subjects", ("pid",)),
    Endpoint(
        6, "subject_biin", "/v3/subject/biin/{biin}", f.SUBJECT_ITEM, "subject", ("pid",), "object",
        item_of="subject_all",
    ),
    _item(7, "subject_pid", "/v3/subject/{pid}", f.SUBJECT_ITEM, "subject", "subject_all", "pid"),
    _detail(
        8, "subject_address", "/v3/subject/biin/{biin}/address", f.ADDRESS, "subject_address", "subject_all",
        "bin", "iin",
    ),
    _detail(
        9, "subject_employees", "/v3/subject/biin/{biin}/employees", f.EMPLOYEE, "subject_employee", "subject_all",
        "bin", "iin",
    ),
    # Its id is an ordinal in the index and no number of its own: new entries are not at the head.
    _register(10, "rnu", "/v3/rnu", f.RNU, "rnu", "rnu rnulist", ("system_id", "id"), mode="full"),
    _detail(11, "rnu_entry", "/v3/rnu/{biin}", f.RNU_ENTRY, "rnu_entry", "rnu", "supplier_biin"),
    _register(
        12, "plans", "/v3/plans", "pid bin name_ru name_kz doc_count", "plans_customer", "", ("pid",), mode="full"
    ),
    Endpoint(13, "plans_bin", "/v3/plans/{customer_bin}", f.PLAN_ITEM, "plans"),
    _item(14, "plans_view", "/v3/plans/view/{id}", f.PLAN_ITEM, "plans", "plans_all"),
    _register(15, "plans_all", "/v3/plans/all", f.PLAN, "plans", "plan plans plnpoint plnpoints"),
    _register(16, "plans_kato", "/v3/plans/kato", f.PLAN_KATO, "plans_kato", "planskato plnpointskato"),
    _register(17, "plans_spec", "/v3/plans/spec", f.PLAN_SPEC, "plans_spec", "plansspec plnpointsspec"),
    # A plan that is deleted today may be old: new rows are not at the head.
    _register(
        18, "plans_deleted", "/v2/plans/deleted", "id rootrecord_id is_deleted index_date", "plans_deleted", "",
        ("id",), mode="full", repairs=("/plans/spec",),
    ),
    Endpoint(19, "trd_buy", "/v3/trd-buy", f.TRD_BUY_SHORT, "trd_buy_short"),
    _register(20, "trd_buy_all", "/v3/trd-buy/all", f.TRD_BUY, "trd_buy", "trdbuy"),
    Endpoint(21, "trd_buy_bin", "/v3/trd-buy/bin/{org_bin}", f.TRD_BUY_SHORT, "trd_buy_short"),
    Endpoint(
        22, "trd_buy_number_anno", "/v3/trd-buy/number-anno/{number_anno}", f.TRD_BUY, "trd_buy", answer="object",
        item_of="trd_buy_all",
    ),
    _item(23, "trd_buy_id", "/v3/trd-buy/{id}", f.TRD_BUY, "trd_buy", "trd_buy_all"),
    _detail(
        24, "trd_buy_commission", "/v3/trd-buy/{id}/commission", f.COMMISSION, "trd_buy_commission", "trd_buy_all", "id"
    ),
    _detail(25, "trd_buy_pause", "/v3/trd-buy/{id}/pause", f.PAUSE, "trd_buy_pause", "trd_buy_all", "id"),
    _detail(26, "trd_buy_cancel", "/v3/trd-buy/{id}/cancel", f.CANCEL, "trd_buy_cancel", "trd_buy_all", "id"),
    _register(27, "trd_app", "/v3/trd-app", f.BID, "trd_app", "trdapp"),
    _register(28, "lots", "/v3/lots", f.LOT, "lots", "lot lots"),
    Endpoint(29, "lots_number_anno", "/v3/lots/number-anno/{number_anno}", f.LOT, "lots"),
    Endpoint(30, "lots_bin", "/v3/lots/bin/{customer_bin}", f.LOT, "lots"),
    _item(31, "lots_id", "/v3/lots/{id}", f.LOT, "lots", "lots"),
    Endpoint(32, "contract", "/v3/contract", f.CONTRACT_SHORT, "contract_short"),
    Endpoint(33, "contract_number_anno", "/v3/contract/number-anno/{number_anno}", f.CONTRACT_SHORT, "contract_short"),
    Endpoint(34, "contract_supplier", "/v3/contract/supplier/{biin}", f.CONTRACT_SHORT, "contract_short"),
    Endpoint(35, "contract_customer", "/v3/contract/customer/{bin}", f.CONTRACT_SHORT, "contract_short"),
    Endpoint(
        36, "contract_number", "/v3/contract/number/", f.CONTRACT, "contract", answer="object", query=("number",),
        item_of="contract_all",
    ),
    Endpoint(
        37, "contract_number_sys", "/v3/contract/number-sys/", f.CONTRACT, "contract", answer="object",
        query=("number",), item_of="contract_all",
    ),
    _item(38, "contract_id", "/v3/contract/{id}", f.CONTRACT, "contract", "contract_all"),
    _register(39, "contract_all", "/v3/contract/all", f.CONTRACT, "contract", "contract contracts"),
    _detail(40, "contract_units", "/v3/contract/{id}/units", f.UNIT, "contract_unit", "contract_all", "id"),
    _register(41, "acts", "/v3/acts", f.ACT, "acts", "act acts contractact"),
    _item(42, "acts_id", "/v3/acts/{id}", f.ACT, "acts", "acts"),
    _register(43, "treasury_pay", "/v3/treasury-pay", f.PAYMENT, "treasury_pay", "treasurypay"),
    Endpoint(
        44, "treasury_pay_contract", "/v3/treasury-pay/{contract_id}", f.PAYMENT, "treasury_pay",
        parent="contract_all", parent_field=("id",),
    ),
    _dictionary(45, "ref_lots_status", f.CODED),
    _dictionary(46, "ref_trade_methods", f.TRADE_METHOD),
    _dictionary(47, "ref_units", "code code2 alpha_code name_ru name_kz", "code"),
    _dictionary(48, "ref_months", f.NAMED),
    _dictionary(49, "ref_pln_point_status", f.CODED),
    _dictionary(50, "ref_subject_type", f.NAMED),
    _dictionary(51, "ref_finsource", f"{f.CODED} nogz"),
    _dictionary(52, "ref_abp", f"{f.CODED} shortname_kz shortname_ru", by_code=True),
    _dictionary(53, "ref_point_type", f.NAMED),
    _dictionary(
        54, "ref_kato", "code parent_code level_ name_ru name_kz full_name_ru full_name_kz ab cd ef hij k", "code"
    ),
    _dictionary(55, "ref_countries", "code code_2 code_3 name_ru name_kz", "code"),
    _dictionary(56, "ref_ekrb", f.CODED, by_code=True),
    _dictionary(57, "ref_fkrb_program", f"{f.CODED} prg", by_code=True),
    _dictionary(58, "ref_fkrb_subprogram", f"{f.NAMED} ppr", by_code=True),
    _dictionary(59, "ref_justification", f"{f.NAMED} ref_trade_methods_id"),
    _dictionary(60, "ref_amendment_agreem_type", f.NAMED),
    _dictionary(61, "ref_amendm_agreem_justif", f"{f.NAMED} cname_ru cname_kz"),
    _dictionary(62, "ref_budget_type", f.CODED),
    _dictionary(63, "ref_type_trade", f.NAMED),
    _dictionary(64, "ref_buy_status", f.CODED),
    _dictionary(65, "ref_po_st", f.CODED),
    _dictionary(66, "ref_comm_roles", f.CODED),
    _dictionary(67, "ref_contract_status", f.CODED),
    _dictionary(68, "ref_contract_agr_form", f.NAMED),
    _dictionary(69, "ref_contract_year_type", f.NAMED),
    _dictionary(70, "ref_currency", "code name", "code"),
    _dictionary(71, "ref_contract_cancel", f.NAMED),
    _dictionary(72, "ref_contract_type", f.NAMED),
    _dictionary(73, "ref_reason", f"{f.NAMED} type"),
    _dictionary(74, "ref_buy_lot_reject_reason", f.NAMED),
)  # fmt: skip


@lru_cache(maxsize=1)
def by_name() -> dict[str, Endpoint]:
    """Every endpoint by its name, in the table's order."""
    return {endpoint.name: endpoint for endpoint in ENDPOINTS}


def registers() -> tuple[Endpoint, ...]:
    """What every load collects: the registers' widest variants and the dictionaries."""
    return tuple(e for e in ENDPOINTS if e.schedule in ("daily", "weekly") and e.mode != "changes")


def details(register: str) -> tuple[Endpoint, ...]:
    """The sub-lists that are asked for each changed row of a register."""
    return tuple(e for e in ENDPOINTS if e.parent == register and e.schedule == "detail")


def item_of(register: str) -> Endpoint | None:
    """The endpoint that gives a single row of a register by its id, where there is one."""
    return next((e for e in ENDPOINTS if e.item_of == register and e.mode == "detail"), None)


def by_service(word: str) -> Endpoint | None:
    """The register that the journal means by a service's name: `trd_buy`, `TrdBuy` and `trd-buy` are the same."""
    letters = "".join(sign for sign in word.lower() if sign.isalnum())
    return next((e for e in ENDPOINTS if letters in e.services), None)


def by_path(path: str) -> tuple[Endpoint, str] | None:
    """The endpoint with a path like this one, and what stands in the place of its parameter."""
    segments = path.rstrip("/").split("/")
    for endpoint in sorted(ENDPOINTS, key=lambda e: "{" in e.path):
        parts = endpoint.path.rstrip("/").split("/")
        if len(parts) == len(segments) and all(
            a == p or p.startswith("{") for a, p in zip(segments, parts, strict=True)
        ):
            return endpoint, next((a for a, p in zip(segments, parts, strict=True) if p.startswith("{")), "")
    return None
