"""Rows of announcements with commission, pauses and cancellations, of lots, and of applications."""

from __future__ import annotations

from typing import Any

import numpy as np

from standins.goszakup.bids import unit_prices
from standins.goszakup.columns import DAY, Array, Row, absent, latest, picked, rows, stamps, taken, tenge
from standins.goszakup.execution import PORTAL
from standins.goszakup.rows_parties import biins, person, pids
from standins.goszakup.tenders import AFTER_FAILURE
from standins.goszakup.words import GOODS
from standins.goszakup.world import World

# Codes of ref_buy_status; those of lots beyond 240 are this world's own, see refs.py.
PUBLISHED, TAKING, REVIEW, COMPLETE, REFUSED, CANCELED = 210, 220, 250, 350, 410, 430
LOT_PUBLISHED, LOT_TAKING, LOT_REVIEW, LOT_TOOK_PLACE, LOT_FAILED, LOT_CANCELED = 210, 240, 250, 360, 370, 430
FILED, ADMITTED, REJECTED, WINNER = 310, 340, 350, 360


def numbers(world: World, index: Array) -> list[str]:
    """``415500-1``; a repeated announcement ends in 2."""
    repeated = world.tenders.parent[index] >= 0
    return [
        f"{number}-{1 + again}"
        for number, again in zip(world.ids["trd_buy"].of(index).tolist(), repeated.tolist(), strict=True)
    ]


def _state(world: World, index: Array, codes: tuple[int, ...], complete: Array) -> Array:
    """The status of announcements by now, in `codes`: published, taking, review, complete, failed, cancelled."""
    table, clock = world.tenders, world.clock
    status = np.where(clock >= table.opens[index], codes[1], codes[0])
    status = np.where(clock >= table.closes[index], codes[2], status)
    outcome = np.where(table.cancelled[index], codes[5], np.where(complete, codes[3], codes[4]))
    return np.where(clock >= table.final[index], outcome, status)


def status_of_tenders(world: World, index: Array) -> Array:
    complete = world.tender_won[index]
    return _state(world, index, (PUBLISHED, TAKING, REVIEW, COMPLETE, REFUSED, CANCELED), complete)


def status_of_lots(world: World, index: Array) -> Array:
    codes = (LOT_PUBLISHED, LOT_TAKING, LOT_REVIEW, LOT_TOOK_PLACE, LOT_FAILED, LOT_CANCELED)
    return _state(world, world.lots.tender[index], codes, world.lot_won[index])


def tender_changed(world: World, index: Array) -> Array:
    """When the row last changed, in seconds."""
    table = world.tenders
    cancelled, final = table.cancelled[index], table.final[index]
    opens = np.where(cancelled & (table.opens[index] > final), final, table.opens[index])
    closes = np.where(cancelled, final, table.closes[index])
    return latest(world.clock, table.published[index], opens, closes, final)


def _total(world: World, index: Array) -> Array:
    table = world.tenders
    sums, first = world.lot_sums, table.first_lot[index]
    result: Array = sums[first + table.lots[index]] - sums[first]
    return result


def tenders_short(world: World, index: Array) -> list[Row]:
    return rows(len(index), _short(world, index))


def _short(world: World, index: Array) -> dict[str, Any]:
    table = world.tenders
    category = table.category[index]
    return {
        "id": world.ids["trd_buy"].of(index),
        "number_anno": numbers(world, index),
        "name_ru": taken([f"Приобретение: {good.name_ru}" for good in GOODS], category),
        "name_kz": absent(
            taken([f"Сатып алу: {good.name_kz}" for good in GOODS], category),
            picked(world.seed, "anno name", index, 20) == 0,
        ),
        "org_bin": biins(world, table.buyer[index]),
        "ref_trade_methods_id": table.method[index],
        "publish_date": stamps(table.published[index]),
        "start_date": stamps(table.opens[index]),
        "end_date": stamps(table.closes[index]),
        "total_sum": tenge(_total(world, index)),
        "ref_buy_status_id": status_of_tenders(world, index),
        "index_date": stamps(tender_changed(world, index)),
        "system_id": PORTAL,
    }


def tenders_full(world: World, index: Array) -> list[Row]:
    table, short = world.tenders, _short(world, index)
    several = table.second[index] >= 0
    single = table.method[index] == AFTER_FAILURE
    supplier = np.where(single, world.sole_supplier[index], -1)
    category = table.category[index]
    public = (table.final[index] <= world.clock) & ~table.cancelled[index]
    extended = picked(world.seed, "extended", index, 15) == 0
    columns = {
        **{key: short[key] for key in ("id", "number_anno", "name_ru", "name_kz", "total_sum")},
        "count_lots": table.lots[index],
        "ref_trade_methods_id": table.method[index],
        "ref_subject_type_id": taken([good.kind for good in GOODS], category),
        "customer_bin": absent(short["org_bin"], several),
        "customer_pid": absent(pids(world, table.buyer[index]).tolist(), several),
        "org_bin": short["org_bin"],
        "org_pid": pids(world, table.buyer[index]),
        "ref_buy_status_id": short["ref_buy_status_id"],
        "start_date": short["start_date"],
        "repeat_start_date": absent(stamps(table.closes[index] + DAY), ~extended),
        "repeat_end_date": absent(stamps(table.closes[index] + 2 * DAY), ~extended),
        "end_date": short["end_date"],
        "publish_date": short["publish_date"],
        "itogi_date_public": absent(stamps(table.final[index]), ~public),
        "ref_type_trade_id": np.where(table.parent[index] >= 0, 2, 1),
        "disable_person_id": 0,
        "discus_start_date": short["publish_date"],
        "discus_end_date": short["start_date"],
        "id_supplier": absent(pids(world, np.maximum(supplier, 0)).tolist(), supplier < 0),
        "biin_supplier": absent(biins(world, np.maximum(supplier, 0)), supplier < 0),
        "parent_id": absent(world.ids["trd_buy"].of(table.parent[index]).tolist(), table.parent[index] < 0),
        "singl_org_sign": 0,
        "is_light_industry": 0,
        "is_construction_work": taken([int(good.kind == 2) for good in GOODS], category),
        "system_id": PORTAL,
        "index_date": short["index_date"],
    }
    return rows(len(index), columns)


def commission(world: World, tender: int) -> list[Row]:
    """Three or five people, by descending id; the first is the chair."""
    member = np.arange(3 + 2 * (tender % 2))[::-1]
    key = tender * 8 + member
    columns = {
        "id": 5_000_000 + key,
        "trd_buy_id": world.ids["trd_buy"].one(tender),
        "fio": person(world.seed, "commission", key),
        "ref_comm_roles_id": np.where(member == 0, 1, np.where(member == len(member) - 1, 4, 3)),
        "active": 1,
        "bin": biins(world, np.full(len(member), world.tenders.buyer[tender])),
        "system_id": PORTAL,
        "index_date": stamps(np.full(len(member), world.tenders.published[tender])),
    }
    return rows(len(member), columns)


def pauses(world: World, tender: int) -> list[Row]:
    """One announcement of ten is paused by the auditors once bids are closed."""
    table = world.tenders
    at = int(table.closes[tender]) + DAY
    if tender % 10 or table.cancelled[tender] or at > world.clock:
        return []
    first, n = int(table.first_lot[tender]), int(table.lots[tender])
    [day] = stamps(np.array([at]))
    return [{
        "id": 60_000 + tender,
        "status": 2,
        "date_create": day,
        "date_pause": day,
        "decide_number": f"КВГА-{tender}",
        "decide_date": day,
        "decide_doc_kz": "Шешім",
        "decide_doc_ru": "Решение",
        "status_name_ru": "Возобновлено",
        "status_name_kz": "Қайта басталды",
        "solution_name_ru": "Приостановить",
        "solution_name_kz": "Тоқтата тұру",
        "lots": {"id": [str(number) for number in world.ids["lots"].of(np.arange(first, first + n)).tolist()]},
    }]  # fmt: skip


def cancellations(world: World, tender: int) -> list[Row]:
    table = world.tenders
    if not table.cancelled[tender] or table.final[tender] > world.clock:
        return []
    [day] = stamps(table.final[[tender]])
    return [{
        "id": 80_000 + tender,
        "number_decision": f"{tender}-о",
        "date_decision": day,
        "name_authority": "Заказчик",
        "date_create": day,
        "trd_buy_id": world.ids["trd_buy"].one(tender),
        "act_type_name_ru": "Приказ",
        "act_type_name_kz": "Бұйрық",
        "type_actions_name_ru": "Отмена закупки",
        "type_actions_name_kz": "Сатып алуды болдырмау",
        "type_actions_code": "canceledTrade",
        "system_id": PORTAL,
        "index_date": day,
    }]  # fmt: skip


def lots(world: World, index: Array) -> list[Row]:
    table, seed = world.lots, world.seed
    tender = table.tender[index]
    category = world.tenders.category[tender]
    ids = world.ids["lots"].of(index)
    first, points = table.first[index], table.points[index]
    double = points == 2
    second = np.minimum(first + 1, len(table.count) - 1)
    planned = world.ids["points"].of(world.points.of_lot[index]).tolist()
    following = world.ids["points"].of(world.points.of_lot[index] + 1).tolist()
    changed = stamps(tender_changed(world, tender))
    dumping = picked(seed, "dumping", index, 60) == 0
    columns = {
        "id": ids,
        "lot_number": [f"{number}-ОИ{1 + number % 3}" for number in ids.tolist()],
        "ref_lot_status_id": status_of_lots(world, index),
        "last_update_date": changed,
        "union_lots": 0,
        "count": table.count[first] + np.where(double, table.count[second], 0),
        "amount": tenge(table.amount[index]),
        "name_ru": taken([good.name_ru for good in GOODS], category),
        "name_kz": absent(taken([good.name_kz for good in GOODS], category), picked(seed, "lot", index, 20) == 0),
        "description_ru": taken([f"{good.name_ru} для нужд заказчика" for good in GOODS], category),
        "description_kz": taken([f"Тапсырыс берушіге {good.name_kz}" for good in GOODS], category),
        "customer_id": pids(world, table.customer[index]),
        "customer_bin": biins(world, table.customer[index]),
        "trd_buy_number_anno": numbers(world, tender),
        "trd_buy_id": world.ids["trd_buy"].of(tender),
        "dumping": dumping.astype(np.int64),
        "dumping_lot_price": [value if flag else 0 for value, flag in
                              zip(tenge(table.amount[index] * 7 // 10), dumping.tolist(), strict=True)],
        "psd_sign": 0,
        "consulting_services": 0,
        "point_list": [[one, two] if both else [one]
                       for one, two, both in zip(planned, following, double.tolist(), strict=True)],
        "singl_org_sign": 0,
        "is_light_industry": 0,
        "is_construction_work": taken([int(good.kind == 2) for good in GOODS], category),
        "disable_person_id": 0,
        "system_id": PORTAL,
        "index_date": changed,
    }  # fmt: skip
    return rows(len(index), columns)


def applications(world: World, index: Array) -> list[Row]:
    """Bids; each carries its offers for lots, and each offer its prices for plan points."""
    table = world.bids
    tender = table.tender[index]
    decided = world.tenders.final[tender] <= world.clock
    n = table.offers[index].astype(np.int64)
    owner = np.repeat(np.arange(len(index)), n)
    offer = np.repeat(table.first[index] - (np.cumsum(n) - n), n) + np.arange(len(owner))
    lines = _offers(world, offer, decided[owner])
    ends = np.cumsum(n).tolist()
    applied = stamps(table.applied[index])
    fraction = picked(world.seed, "fraction", index, 1_000_000).tolist()
    prot = world.ids["trd_buy"].of(tender) + 1_000_000
    columns = {
        "id": world.ids["trd_app"].of(index),
        "buy_id": world.ids["trd_buy"].of(tender),
        "supplier_id": pids(world, table.supplier[index]),
        "cr_fio": person(world.seed, "applicant", table.supplier[index]),
        "mod_fio": None,
        "supplier_bin_iin": biins(world, table.supplier[index]),
        "prot_id": absent(prot.tolist(), ~decided),
        "prot_number": absent([f"{number}-ПИ" for number in prot.tolist()], ~decided),
        "date_apply": [f"{at}.{part:06d}" for at, part in zip(applied, fraction, strict=True)],
        "app_lots": [lines[end - count : end] for end, count in zip(ends, n.tolist(), strict=True)],
    }
    return rows(len(index), columns)


def _offers(world: World, offer: Array, decided: Array) -> list[Row]:
    table, of_lots, seed = world.offers, world.lots, world.seed
    lot, share = table.lot[offer], table.share[offer]
    ids, lot_ids = world.ids["offers"].of(offer).tolist(), world.ids["lots"].of(lot).tolist()
    outcome = np.where(table.won[offer], WINNER, np.where(table.rejected[offer], REJECTED, ADMITTED))
    first = of_lots.first[lot]
    double = of_lots.points[lot] == 2
    second = np.minimum(first + 1, len(of_lots.price) - 1)
    prices = [unit_prices(of_lots.price[at], share) for at in (first, second)]
    sums = [price * of_lots.count[at] for price, at in zip(prices, (first, second), strict=True)]
    point_ids = [world.ids["points"].of(world.points.of_lot[lot] + step).tolist() for step in (0, 1)]
    parts = [list(zip(point_ids[k], tenge(prices[k]), tenge(sums[k]), strict=True)) for k in (0, 1)]
    point_groups = [(one, two) if both else (one,) for one, two, both in zip(*parts, double.tolist(), strict=True)]
    total = tenge(table.amount[offer])
    discount = (picked(seed, "discount", offer, 20) * 0.5).tolist()
    columns = {
        "id": ids,
        "app_id": world.ids["trd_app"].of(table.bid[offer]),
        "lot_id": lot_ids,
        "point_list": [[str(point) for point, _, _ in points] for points in point_groups],
        "status_id": np.where(decided, outcome, FILED),
        "price": tenge(prices[0]),
        "amount": total,
        "discount_value": discount,
        "discount_price": [round(amount * (1 - part / 100), 2) for amount, part in zip(total, discount, strict=True)],
        "offers": [
            [{"id": number * 2 + k, "point_id": point, "lot_id": lot_id, "app_lot_id": number, "price": price,
              "amount": amount} for k, (point, price, amount) in enumerate(points)]
            for number, lot_id, points in zip(ids, lot_ids, point_groups, strict=True)
        ],
    }  # fmt: skip
    return rows(len(offer), columns)
