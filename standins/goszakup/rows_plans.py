"""Rows of plan points with their places of delivery and budget lines, and of the customers that plan."""

from __future__ import annotations

import numpy as np

from standins.goszakup.columns import Array, Row, absent, latest, picked, rows, stamps, taken, tenge
from standins.goszakup.execution import PORTAL
from standins.goszakup.rows_parties import biins, names, pids
from standins.goszakup.words import GOODS, MONTHS, REGIONS
from standins.goszakup.world import World

PLANNED, APPROVED = 1, 5


def years(seconds: Array) -> Array:
    return seconds.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970


def months(seconds: Array) -> Array:
    """1 to 12."""
    return seconds.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12 + 1


def program(world: World, index: Array) -> dict[str, Array]:
    """The codes of the budget line of a plan point."""
    return {
        "ref_ekrb_id": 1 + picked(world.seed, "ekrb", index, 12),
        "ref_fkrb_subprogram_id": 1 + picked(world.seed, "subprogram", index, 6),
        "ref_fkrb_id": 1 + picked(world.seed, "fkrb", index, 8),
        "ref_fkrb_program_id": 1 + picked(world.seed, "program", index, 8),
    }


def points(world: World, index: Array) -> list[Row]:
    table, seed = world.points, world.seed
    goods = [GOODS[i] for i in table.category[index].tolist()]
    customer, created = table.customer[index], table.created[index]
    year, month = years(created), months(created)
    approved = table.approved[index] <= world.clock
    plan = customer.astype(np.int64) * 100 + year % 100
    amount = tenge(table.price[index] * table.count[index])
    name_kz = absent([good.name_kz for good in goods], picked(seed, "point name", index, 30) == 0)
    columns = {
        "id": world.ids["points"].of(index),
        "plan_act_id": 10_000 + plan,
        "plan_act_number": [f"{number}-1" for number in (10_000 + plan).tolist()],
        "ref_plan_status_id": 2,
        "plan_fin_year": year,
        "plan_preliminary": 0,
        "rootrecord_id": world.ids["points"].of(index),
        "sys_subjects_id": pids(world, customer),
        "subject_biin": biins(world, customer),
        "name_ru": [good.name_ru for good in goods],
        "name_kz": name_kz,
        "ref_trade_methods_id": table.method[index],
        "ref_units_code": [int(good.unit) for good in goods],
        "count": table.count[index],
        "price": tenge(table.price[index]),
        "amount": amount,
        "ref_months_id": month,
        "ref_pln_point_status_id": np.where(approved, APPROVED, PLANNED),
        "pln_point_year": year,
        "ref_subject_types_id": [good.kind for good in goods],
        "ref_enstru_code": [good.code for good in goods],
        "ref_finsource_id": 1 + picked(seed, "source", index, 3),
        "ref_abp_code": 250 + customer.astype(np.int64) % 40,
        "createdin_act_id": 10_000 + plan,
        "date_approved": stamps(np.where(approved, table.approved[index], 2**40)),
        "is_qvazi": 0,
        "date_create": stamps(created),
        "timestamp": stamps(latest(world.clock, created, table.approved[index])),
        "system_id": PORTAL,
        "ref_point_type_id": 1,
        "desc_ru": [f"{good.name_ru}, согласно технической спецификации" for good in goods],
        "desc_kz": absent([f"{good.name_kz}, техникалық ерекшелікке сәйкес" for good in goods],
                          picked(seed, "d", index, 9) == 0),
        "extra_desc_ru": "",
        "extra_desc_kz": "",
        "sum_1": amount,
        "sum_2": 0,
        "sum_3": 0,
        "supply_date_ru": taken([f"{month[0]}" for month in MONTHS], (month + 1) % 12),
        "prepayment": picked(seed, "prepayment", index, 2) * 30,
        "ref_justification_id": None,
        "ref_amendment_agreem_type_id": None,
        "ref_amendm_agreem_justif_id": None,
        "contract_prev_point_id": None,
        "disable_person_id": 0,
        "transfer_sys_subjects_id": None,
        "transfer_type": None,
        "ref_budget_type_id": 1,
    }  # fmt: skip
    return rows(len(index), columns)


def points_with_parts(world: World, index: Array) -> list[Row]:
    """Plan points that carry their places and budget lines."""
    point_rows = points(world, index)
    parts = zip(point_rows, places(world, index), budget_lines(world, index), strict=True)
    for row, place, line in parts:
        row["kato"] = [place]
        row["spec"] = [line]
    return point_rows


def places(world: World, index: Array) -> list[Row]:
    """The place of delivery of each plan point: one a point."""
    table = world.points
    region = world.parties.region[table.customer[index]]
    columns = {
        "id": world.ids["kato"].of(index),
        "pln_points_id": world.ids["points"].of(index),
        "ref_kato_code": taken([region[0] for region in REGIONS], region),
        "ref_countries_code": "398",
        "full_delivery_place_name_ru": taken([f"{region[1]}, склад заказчика" for region in REGIONS], region),
        "full_delivery_place_name_kz": taken([f"{region[2]}, тапсырысшының қоймасы" for region in REGIONS], region),
        "count": table.count[index],
        "system_id": PORTAL,
        "index_date": stamps(table.created[index]),
    }  # fmt: skip
    return rows(len(index), columns)


def budget_lines(world: World, index: Array) -> list[Row]:
    """The budget line of each plan point: one a point."""
    table = world.points
    codes = program(world, index)
    columns = {
        "id": world.ids["spec"].of(index),
        "pln_points_id": world.ids["points"].of(index),
        "ref_ekrb_id": codes["ref_ekrb_id"],
        "count": table.count[index],
        "price": tenge(table.price[index]),
        "ref_fkrb_subprogram_id": codes["ref_fkrb_subprogram_id"],
        "ref_fkrb_id": codes["ref_fkrb_id"],
        "amount": tenge(table.price[index] * table.count[index]),
        "ref_fkrb_program_id": codes["ref_fkrb_program_id"],
        "system_id": PORTAL,
        "index_date": stamps(table.created[index]),
    }
    return rows(len(index), columns)


def deleted_points(world: World, index: Array) -> list[Row]:
    columns = {
        "id": world.ids["points"].of(index),
        "rootrecord_id": world.ids["points"].of(index),
        "is_deleted": 1,
        "index_date": stamps(world.points.gone[index]),
    }
    return rows(len(index), columns)


def planners(world: World, index: Array) -> list[Row]:
    """Customers with the number of their plans (one a year)."""
    russian, kazakh = names(world, index)
    known = int(years(np.array([world.clock]))[0]) - 2022
    columns = {
        "pid": pids(world, index),
        "bin": biins(world, index),
        "name_ru": russian,
        "name_kz": kazakh,
        "doc_count": known,
    }
    return rows(len(index), columns)
