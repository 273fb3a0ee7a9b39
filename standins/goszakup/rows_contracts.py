"""Rows of contracts, their units, acts and payments."""

from __future__ import annotations

from typing import Any

import numpy as np

from standins.goszakup.bids import unit_prices
from standins.goszakup.columns import (  # fmt: skip
    DAY,
    NEVER,
    Array,
    Row,
    absent,
    instant,
    latest,
    picked,
    rows,
    stamps,
    taken,
    tenge,
    twelve,
)
from standins.goszakup.execution import PORTAL
from standins.goszakup.rows_parties import biins, names, pids
from standins.goszakup.rows_plans import program, years
from standins.goszakup.rows_tenders import numbers
from standins.goszakup.tenders import DIRECT
from standins.goszakup.words import BANKS, GOODS, TREASURY
from standins.goszakup.world import World

# Codes of ref_contract_status; all but 190 are this world's own, see refs.py.
DRAFT, VALID, DONE, BROKEN = 120, 190, 390, 455
MAIN, ADDITIONAL = 1, 2
ACT_SENT, ACT_APPROVED, ACT_REVOKED = 10, 15, 20
UNITS_OF_A_ROW = 32
NEW_RATE = instant("2026-01-01")


def with_tax(world: World, deal: Array, tiyn: Array) -> Array:
    """The sum with VAT, where the supplier is one who pays it: 12 of a hundred, from 2026 on 16."""
    rate = np.where(world.deals.created[deal] >= NEW_RATE, 16, 12) * world.parties.taxed[world.deals.supplier[deal]]
    result: Array = tiyn + tiyn * rate // 100
    return result


def status_of_contracts(world: World, index: Array) -> Array:
    table, deals, clock = world.contracts, world.deals, world.clock
    deal = table.deal[index]
    over = np.where(deals.broken[deal], BROKEN, DONE)
    status = np.where(table.signed[index] <= clock, VALID, DRAFT)
    return np.where((deals.ends[deal] <= clock) & (table.signed[index] <= clock), over, status)


def deleted_at(world: World, index: Array) -> Array:
    """When the row is marked as deleted, or NEVER."""
    deal = world.contracts.deal[index]
    return np.where(world.deals.draft[deal], world.deals.created[deal] + 2 * DAY, NEVER)


def contract_changed(world: World, index: Array) -> Array:
    table = world.contracts
    ends = np.where(world.deals.draft[table.deal[index]], deleted_at(world, index), world.deals.ends[table.deal[index]])
    return latest(world.clock, table.created[index], table.signed[index], ends)


def system_numbers(world: World, index: Array) -> list[str]:
    """``000140001536/230017/00``: BIN of the customer, year and number of the first row, number in the chain."""
    table = world.contracts
    root = table.root[index]
    customers = biins(world, world.deals.buyer[table.deal[index]])
    year = (years(table.created[root]) % 100).tolist()
    return [
        f"{customer}/{yy:02d}{number:06d}/{place:02d}"
        for customer, yy, number, place in zip(customers, year, root.tolist(), table.place[index].tolist(), strict=True)
    ]


def contract_at(world: World, system_number: str) -> int:
    """The row of a system number; -1 if there is none."""
    parts = system_number.split("/")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return -1
    root, place = int(parts[1][2:] or 0), int(parts[2])
    table = world.contracts
    if root >= len(table.deal):
        return -1
    chain = np.flatnonzero((table.root == root) & (table.place == place))
    index = int(chain[0]) if len(chain) else -1
    return index if index >= 0 and system_numbers(world, np.array([index]))[0] == system_number else -1


def own_number(index: Array) -> list[str]:
    return [f"{row + 1}" for row in index.tolist()]


def _short(world: World, index: Array) -> dict[str, Any]:
    table, deals = world.contracts, world.deals
    deal = table.deal[index]
    tender = deals.tender[deal]
    return {
        "id": world.ids["contract"].of(index),
        "contract_number": own_number(index),
        "contract_number_sys": system_numbers(world, index),
        "trd_buy_id": world.ids["trd_buy"].of(tender),
        "trd_buy_number_anno": absent(numbers(world, np.maximum(tender, 0)), tender < 0),
        "ref_contract_type_id": np.where(table.place[index] == 0, MAIN, ADDITIONAL),
        "ref_contract_status_id": status_of_contracts(world, index),
        "crdate": stamps(table.created[index]),
        "contract_sum": tenge(table.sum[index]),
        "contract_sum_wnds": tenge(with_tax(world, deal, table.sum[index])),
        "supplier_id": pids(world, deals.supplier[deal]),
        "supplier_biin": biins(world, deals.supplier[deal]),
        "customer_id": pids(world, deals.buyer[deal]),
        "customer_bin": biins(world, deals.buyer[deal]),
        "index_date": stamps(contract_changed(world, index)),
        "system_id": PORTAL,
    }


def contracts_short(world: World, index: Array) -> list[Row]:
    return rows(len(index), _short(world, index))


def _account(number: Array, bank: Array) -> list[str]:
    return [f"KZ{10 + row % 89}{code:03d}{row:013d}" for row, code in zip(number.tolist(), bank.tolist(), strict=True)]


def contracts_full(world: World, index: Array) -> list[Row]:
    table, deals, short = world.contracts, world.deals, _short(world, index)
    deal, clock = table.deal[index], world.clock
    tender = deals.tender[deal]
    supplier, buyer = deals.supplier[deal].astype(np.int64), deals.buyer[deal].astype(np.int64)
    bank = supplier % len(BANKS)
    signed, ends = table.signed[index], deals.ends[deal]
    addendum = table.place[index] > 0
    over = ends <= clock
    kept = over & ~deals.broken[deal]
    total = with_tax(world, deal, table.sum[index])
    public = absent(stamps(world.tenders.final[np.maximum(tender, 0)]), tender < 0)
    method = np.where(tender < 0, DIRECT, world.tenders.method[np.maximum(tender, 0)])
    category = deals.category[deal]
    reasons = (1 + picked(world.seed, "justification", index, 6)).tolist()
    signed_shown = np.where(signed <= clock, signed, NEVER)
    planned_end = signed + (ends - signed) * np.where(deals.broken[deal], 5, 3) // 3
    exchanged = {key: short[key] for key in ("contract_sum", "contract_sum_wnds")}
    columns = {
        "id": short["id"],
        "parent_id": absent(world.ids["contract"].of(table.parent[index]).tolist(), ~addendum),
        "root_id": world.ids["contract"].of(table.root[index]),
        "trd_buy_id": short["trd_buy_id"],
        "trd_buy_number_anno": short["trd_buy_number_anno"],
        "ref_amendm_agreem_justif_id": [[one] if more else [] for one, more in zip(reasons, addendum, strict=True)],
        "ref_contract_status_id": short["ref_contract_status_id"],
        "deleted": (deleted_at(world, index) <= clock).astype(np.int64),
        "crdate": short["crdate"],
        "last_update_date": short["index_date"],
        "supplier_id": short["supplier_id"],
        "supplier_biin": short["supplier_biin"],
        "supplier_bik": taken([bank[0] for bank in BANKS], bank),
        "supplier_iik": _account(supplier, 100 + bank),
        "supplier_bank_name_kz": taken([bank[2] for bank in BANKS], bank),
        "supplier_bank_name_ru": taken([bank[1] for bank in BANKS], bank),
        "contract_number": short["contract_number"],
        "sign_reason_doc_name": "Протокол об итогах",
        "sign_reason_doc_date": stamps(table.created[index] // DAY * DAY),
        "trd_buy_itogi_date_public": public,
        "customer_id": short["customer_id"],
        "customer_bin": short["customer_bin"],
        "customer_bik": TREASURY[0],
        "customer_iik": _account(buyer, buyer * 0 + 70),
        "customer_bank_name_kz": TREASURY[2],
        "customer_bank_name_ru": TREASURY[1],
        "contract_number_sys": short["contract_number_sys"],
        "fin_year": years(table.created[index]),
        "ref_contract_agr_form_id": 1,
        "ref_contract_year_type_id": 1,
        "ref_finsource_id": 1 + picked(world.seed, "source", deal, 3),
        "ref_currency_code": "KZT",
        **exchanged,
        "sign_date": stamps(signed_shown),
        "ec_end_date": stamps(np.minimum(planned_end, NEVER)),
        "plan_exec_date": stamps(np.minimum(planned_end, NEVER)),
        "fakt_exec_date": stamps(np.where(kept, ends, NEVER)),
        "fakt_sum_wnds": tenge(np.where(kept, total, 0)),
        "contract_end_date": stamps(np.where(over & ~kept, ends, NEVER)),
        "ref_contract_cancel_id": absent([2] * len(index), ~(over & ~kept)),
        "ref_contract_type_id": short["ref_contract_type_id"],
        "description_kz": taken([f"{good.name_kz}" for good in GOODS], category),
        "description_ru": taken([f"Договор: {good.name_ru}" for good in GOODS], category),
        "fakt_trade_methods_id": method,
        "ec_customer_approve": (signed <= clock).astype(np.int64),
        "ec_supplier_approve": (signed <= clock).astype(np.int64),
        "contract_ms": 0,
        "system_id": PORTAL,
        "index_date": short["index_date"],
    }  # fmt: skip
    return rows(len(index), columns)


def units_of(world: World, contract: int) -> tuple[Array, Array, Array, Array]:
    """What the deal of a contract row is made of: lots (-1 when direct), plan points, pieces, tiyn of the first row."""
    deal = int(world.contracts.deal[contract])
    if world.deals.tender[deal] < 0:
        point = world.points.of_deal[[deal]].astype(np.int64)
        return np.array([-1]), point, world.points.count[point], world.deals.sum[[deal]]
    first = int(world.deals.first[deal])
    offer = world.awarded[first : first + int(world.deals.awards[deal])]
    lot = np.repeat(world.offers.lot[offer], world.lots.points[world.offers.lot[offer]])
    share = np.repeat(world.offers.share[offer], world.lots.points[world.offers.lot[offer]])
    again = np.concatenate([[0], (lot[1:] == lot[:-1]).astype(np.int64)])
    at = world.lots.first[lot] + again
    count = world.lots.count[at].astype(np.int64)
    point = world.points.of_lot[lot].astype(np.int64) + again
    return lot, point, count, unit_prices(world.lots.price[at], share) * count


def _shared(parts: Array, total: int) -> Array:
    """`total` in the proportions of `parts`; the first takes what rounding leaves, so that the sum is exact."""
    whole = int(parts.sum())
    # Python's integers: the products of two large sums do not fit into 64 bits.
    shares = np.array([part * total // whole for part in parts.tolist()], dtype=np.int64)
    shares[0] += total - int(shares.sum())
    return shares


def units(world: World, contract: int) -> list[Row]:
    """The units of one contract row, by descending id; sums of their budget lines are strings."""
    table, clock = world.contracts, world.clock
    index = np.array([contract])
    deal = table.deal[index]
    if world.deals.draft[deal[0]]:
        return []
    lot, point, count, first_sums = units_of(world, contract)
    n = len(lot)
    sums = _shared(first_sums, int(table.sum[contract]))
    taxed = _shared(sums, int(with_tax(world, deal, table.sum[index])[0]))
    over = bool(world.deals.ends[deal[0]] <= clock and not world.deals.broken[deal[0]])
    spot = np.arange(n)
    root, parent = int(table.root[contract]), int(table.parent[contract])
    codes = program(world, point)
    [created] = stamps(table.created[index])
    [ended] = stamps(np.where(over, world.deals.ends[deal], NEVER))
    year = int(years(table.created[index])[0])
    tax_texts, texts = [[str(value) for value in tenge(part)] for part in (taxed, sums)]
    done_tax, done = (tax_texts, texts) if over else (["0"] * n, ["0"] * n)
    lines = rows(n, {
        "ref_ekrb_id": codes["ref_ekrb_id"], "spec_kat": 1, "point_spec_id": world.ids["spec"].of(point),
        "total_sum": texts, "total_sum_wnds": tax_texts, "ref_fkrb_subprogram_id": codes["ref_fkrb_subprogram_id"],
        "ref_fkrb_id": codes["ref_fkrb_id"], "ref_fkrb_program_id": codes["ref_fkrb_program_id"], "fin_year": year,
        "plan_sum": texts, "plan_sum_wnds": tax_texts, "fact_sum": done, "fact_sum_wnds": done_tax,
    })  # fmt: skip
    base = 14_000_000
    new_rows = rows(n, {
        "id": base + contract * UNITS_OF_A_ROW + spot,
        "lot_id": world.ids["lots"].of(lot),
        "pln_point_id": world.ids["points"].of(point),
        "item_price": tenge(sums // count),
        "item_price_wnds": tenge(taxed // count),
        "quantity": count,
        "total_sum": tenge(sums),
        "total_sum_wnds": tenge(taxed),
        "fact_sum": tenge(sums * over),
        "fact_sum_wnds": tenge(taxed * over),
        "ks_proc": 0,
        "ks_sum": 0,
        "deleted": 0,
        "trd_buy_id": int(world.ids["trd_buy"].of(world.deals.tender[deal])[0]),
        "contract_registry_id": world.ids["contract"].one(contract),
        "crdate": created,
        "exec_fakt_date": ended,
        "exec_plan_date": None,
        "executed": int(over),
        "parent_id": absent((base + parent * UNITS_OF_A_ROW + spot).tolist(), np.full(n, parent < 0)),
        "root_id": base + root * UNITS_OF_A_ROW + spot,
        "system_id": PORTAL,
        "index_date": created,
        "spec": [[line] for line in lines],
    })  # fmt: skip
    return new_rows[::-1]


def acts(world: World, index: Array) -> list[Row]:
    table, deals, clock = world.execution.acts, world.deals, world.clock
    deal = table.deal[index]
    root = world.ids["contract"].of(world.contracts.root_of_deal[deal])
    decided = table.approved[index] <= clock
    revoked = table.revoked[index] & decided
    status = np.where(decided, np.where(revoked, ACT_REVOKED, ACT_APPROVED), ACT_SENT)
    words = {
        ACT_SENT: ("На утверждении", "Бекітуде"),
        ACT_APPROVED: ("Утвержден", "Бекітілді"),
        ACT_REVOKED: ("Отозван", "Кері қайтарылды"),
    }
    created = stamps(table.created[index])
    columns = {
        "id": world.ids["acts"].of(index),
        "akt_date": created,
        "number_act": [f"{n}-{row}" for n, row in zip(table.number[index].tolist(), deal.tolist(), strict=True)],
        "approve_date": stamps(np.where(decided & ~revoked, table.approved[index], NEVER)),
        "create_date_act": created,
        "contract_root_id": root,
        "contract_id": root,
        "status_id": status,
        "is_deleted": revoked.astype(np.int64),
        "day_overdue": None,
        "sum_avans": None,
        "sum_beginning": None,
        "sum_fine": None,
        "sum_previously": None,
        "sum_transfer": tenge(with_tax(world, deal, table.amount[index])),
        "create_date_gen_info": created,
        "status_name_ru": [words[code][0] for code in status.tolist()],
        "status_name_kz": [words[code][1] for code in status.tolist()],
        "supplier_id": pids(world, deals.supplier[deal]),
        "customer_id": pids(world, deals.buyer[deal]),
        "is_gu": world.parties.state[deals.buyer[deal]].astype(np.int64),
        "type_act": 1 + (picked(world.seed, "paper", index, 12) == 0),
        "ref_subject_type_id": taken([good.kind for good in GOODS], deals.category[deal]),
        "parent_id": None,
        "system_id": PORTAL,
        "index_date": stamps(latest(clock, table.created[index], table.approved[index])),
    }  # fmt: skip
    return rows(len(index), columns)


def payments(world: World, index: Array) -> list[Row]:
    table, deals = world.execution.payments, world.deals
    deal = table.deal[index]
    supplier = deals.supplier[deal].astype(np.int64)
    root = world.contracts.root_of_deal[deal]
    amount = tenge(with_tax(world, deal, table.amount[index]))
    ids = world.ids["payments"].of(index)
    bank = supplier % len(BANKS)
    days = stamps(table.paid[index] // DAY * DAY)
    code = picked(world.seed, "program", deal, 8) + 1
    buyer = deals.buyer[deal].astype(np.int64)
    region = world.parties.region[buyer].astype(np.int64)
    columns = {
        "id": ids,
        "nom_za": [f"ЗА-{number}" for number in ids.tolist()],
        "contract_id": world.ids["contract"].of(root),
        "dt_reg": stamps(deals.signed[deal] // DAY * DAY),
        "nom_uved": [f"У-{row}" for row in deal.tolist()],
        "supplier": names(world, supplier)[0],
        "rnn_supplier": twelve(world.parties.biin[supplier]),
        "bik_supplier": taken([bank[0] for bank in BANKS], bank),
        "iik_supplier": _account(supplier, 100 + bank),
        "code_supplier": [f"{row:06d}" for row in (supplier % 10**6).tolist()],
        "nom_dog": own_number(root),
        "dt_dog": stamps(deals.signed[deal] // DAY * DAY),
        "item_description": taken([good.name_ru for good in GOODS], deals.category[deal]),
        "unit_price": amount,
        "quantity": 1,
        "type_bujet": "2",
        "budget_name_ru": "Местный бюджет",
        "budget_name_kz": "Жергілікті бюджет",
        "kato": [f"{number:06d}" for number in (100_101 + region * 1001).tolist()],
        "func": [f"{abp:03d}{part:03d}" for abp, part in zip((250 + buyer % 40).tolist(), code.tolist(), strict=True)],
        "espk": "159",
        "gu": [f"{number:07d}" for number in (2_500_000 + buyer).tolist()],
        "fin_source": "1",
        "po_header_id": 400_000 + deal.astype(np.int64),
        "last_update_date": stamps(table.paid[index]),
        "vendor_id": 10_000 + supplier,
        "pdi_update_date": stamps(table.paid[index]),
        "prepay_sum": 0,
        "str_prepay_sum": "0",
        "check_id": ids + 11,
        "invoice_id": ids + 7,
        "pay_description": "Оплата по договору",
        "invnum": [f"{number}" for number in (ids % 10**6).tolist()],
        "pay_amount": amount,
        "check_number": [f"{number:09d}" for number in (ids % 10**9).tolist()],
        "pay_date": days,
        "code_combination_id": 3000 + code,
        "ppn": 0,
        "system_id": PORTAL,
        "index_date": stamps(table.paid[index]),
    }  # fmt: skip
    return rows(len(index), columns)
