"""Rows of subjects, their addresses and employees, and of the register of suppliers that kept no faith."""

from __future__ import annotations

from typing import Any

import numpy as np

from standins.goszakup.columns import DAY, Array, Row, absent, latest, noise, picked, rows, stamps, twelve  # fmt: skip
from standins.goszakup.execution import PORTAL
from standins.goszakup.words import BUYER_KINDS, FAMILY, FIRMS, GIVEN, REGIONS, TRADES
from standins.goszakup.world import World

OPEN_ENDED = "1999-01-01 00:00:00"


def person(seed: int, part: str, index: Array) -> list[str]:
    """A full name a row."""
    first = noise(seed, part, index)
    return [
        f"{FAMILY[bits % len(FAMILY)]} {' '.join(GIVEN[bits // 64 % len(GIVEN)])}" for bits in first.tolist()
    ]  # fmt: skip


def names(world: World, index: Array) -> tuple[list[str], list[str]]:
    """The Russian and Kazakh names of subjects."""
    parties, seed = world.parties, world.seed
    people = person(seed, "subject name", index)
    bits = noise(seed, "firm name", index).tolist()
    russian, kazakh = [], []
    for row, kind, region, bit, human in zip(
        index.tolist(), parties.kind[index].tolist(), parties.region[index].tolist(), bits, people, strict=True
    ):
        if row < parties.buyers:
            what_ru, what_kz, _ = BUYER_KINDS[row % len(BUYER_KINDS)]
            russian.append(f"КГУ «{what_ru} №{row + 1}» {REGIONS[region][1]}")
            kazakh.append(f"{REGIONS[region][2]} «№{row + 1} {what_kz}» КММ")
        elif kind == 1:
            name = f"{FIRMS[bit % len(FIRMS)]}-{TRADES[bit // 32 % len(TRADES)]} {row}"
            russian.append(f"ТОО «{name}»")
            kazakh.append(f"«{name}» ЖШС")
        else:
            russian.append(f"ИП {human}" if kind == 3 else human)
            kazakh.append(f"{human} ЖК" if kind == 3 else human)
    return russian, kazakh


def pids(world: World, index: Array) -> Array:
    return world.ids["subject"].of(index)


def biins(world: World, index: Array) -> list[str]:
    return twelve(world.parties.biin[index])


def _identity(world: World, index: Array) -> dict[str, Any]:
    parties = world.parties
    biin, legal = biins(world, index), parties.kind[index] == 1
    russian, kazakh = names(world, index)
    nameless = picked(world.seed, "no Kazakh name", index, 25) == 0
    school = (index < parties.buyers) & (index % 10 == 3)
    parent = biins(world, np.zeros_like(index))
    above_ru, above_kz = names(world, np.zeros(1, dtype=np.int64))
    return {
        "pid": pids(world, index),
        "bin": absent(biin, ~legal),
        "iin": absent(biin, legal),
        "parent_subject": absent(parent, ~school),
        "parent_name_kz": absent(above_kz * len(index), ~school),
        "parent_name_ru": absent(above_ru * len(index), ~school),
        "name_ru": russian,
        "name_kz": absent(kazakh, nameless),
        "type_supplier": parties.kind[index],
        "system_id": PORTAL,
        "index_date": stamps(latest(world.clock, parties.created[index], parties.touched[index])),
    }


def subjects_short(world: World, index: Array) -> list[Row]:
    return rows(len(index), _identity(world, index))


def subjects_full(world: World, index: Array) -> list[Row]:
    parties, seed = world.parties, world.seed
    identity = _identity(world, index)
    buyer = (index < parties.buyers).astype(np.int64)
    supplier = 1 - buyer
    touched = parties.touched[index] <= world.clock
    registered = parties.created[index] - picked(seed, "age", index, 3000) * DAY
    legal = parties.kind[index] == 1
    small = picked(seed, "small", index, 4) > 0
    flags = dict.fromkeys(
        (
            "mark_world_company", "mark_state_monopoly", "mark_natural_monopoly", "mark_patronymic_producer",
            "mark_patronymic_supplyer",
        ),
        0,
    )  # fmt: skip
    columns: dict[str, Any] = {
        **{key: identity[key] for key in ("pid", "bin", "iin")},
        "inn": None,
        "unp": None,
        **{key: identity[key] for key in ("parent_subject", "parent_name_kz", "parent_name_ru")},
        "regdate": stamps(registered),
        "crdate": stamps(parties.created[index]),
        "index_date": identity["index_date"],
        "series": "Б",
        "name_ru": identity["name_ru"],
        "name_kz": identity["name_kz"],
        "full_name_ru": absent(identity["name_ru"], ~legal),
        "full_name_kz": absent(identity["name_kz"], ~legal),
        "email": [f"{'post' if new else 'info'}{row}@example.kz" for row, new in zip(index, touched, strict=True)],
        "phone": [f"7701{number:07d}" for number in (noise(seed, "phone", index) % np.uint64(10**7)).tolist()],
        "website": None,
        "last_update_date": identity["index_date"],
        "country_code": "398",
        "qvazi": 0,
        "customer": buyer,
        "organizer": buyer,
        "mark_national_company": 0,
        "ref_kopf_code": absent(["32"] * len(index), ~legal),
        "mark_assoc_with_disab": 0,
        "year": (registered // (365 * DAY) + 1970),
        "mark_resident": 1,
        "system_id": PORTAL,
        "supplier": supplier,
        "type_supplier": parties.kind[index],
        "krp_code": np.where(small, 105, 205),
        "oked_list": 46000 + picked(seed, "oked", index, 999),
        "kse_code": 1121,
        **flags,
        "mark_small_employer": (small & (supplier == 1)).astype(np.int64),
        "is_single_org": 0,
    }
    return rows(len(index), columns)


def subjects_detail(world: World, index: Array) -> list[Row]:
    full_rows = subjects_full(world, index)
    for row, subject in zip(full_rows, index.tolist(), strict=True):
        row["address"] = addresses(world, subject)
        row["employees"] = employees(world, subject)
        row["admins"] = []
        row["total_address"] = len(row["address"])
    return full_rows


def addresses(world: World, subject: int) -> list[Row]:
    """The addresses of one subject (a row number), by descending id."""
    parties, seed = world.parties, world.seed
    number = np.arange(2 if subject % 3 == 0 else 1)[::-1]
    region = REGIONS[int(parties.region[subject])]
    at = stamps(np.full(len(number), parties.created[subject]))
    columns = {
        "id": 700_000 + subject * 4 + number,
        "pid": int(pids(world, np.array([subject]))[0]),
        "ref_source_code": 1,
        "address_type": number + 1,
        "address": [f"{region[1]}, ул. Абая, д. {1 + house}" for house in picked(seed, "h", subject * 4 + number, 200)],
        "kato_code": region[0],
        "phone": f"7727{subject % 10**7:07d}",
        "country_code": 398,
        "date_create": at,
        "edit_date": at,
        "index_date": at,
    }
    return rows(len(number), columns)


def employees(world: World, subject: int) -> list[Row]:
    """The people of one subject, by descending id; who is there still has an end in 1999."""
    parties, seed = world.parties, world.seed
    number = np.arange(2 + subject % 2)[::-1]
    key = subject * 4 + number
    start = np.full(len(number), parties.created[subject])
    ended = number == 2
    ends = [OPEN_ENDED if not gone else stamp for gone, stamp in zip(ended, stamps(start + 400 * DAY), strict=True)]
    born = picked(seed, "born", key, 40) + 60
    columns = {
        "id": 1_500_000 + key,
        "pid": int(pids(world, np.array([subject]))[0]),
        "iin": twelve((born * 10_000 + 101 + number) * 1_000_000 + 300_000 + key % 100_000),
        "resident": 1,
        "fio": person(seed, "employee", key),
        "disabled": 0,
        "role": np.where(number == 0, 1, 2),
        "sys_role_id": np.where(number == 0, 7, 9),
        "start_date": stamps(start),
        "edit_date": stamps(start),
        "end_date": ends,
        "index_date": stamps(start),
    }
    return rows(len(number), columns)


def sanctions(world: World, index: Array) -> list[Row]:
    """The list: ids are strings here, and entries of another portal have no pid and no places."""
    table = world.execution.sanctions
    supplier = table.supplier[index]
    russian, kazakh = names(world, supplier)
    ours = table.system[index] == PORTAL
    places = [[REGIONS[region][0]] for region in world.parties.region[supplier].tolist()]
    columns = {
        "id": [str(number) for number in world.ids["rnu"].of(index).tolist()],
        "pid": absent([str(pid) for pid in pids(world, supplier).tolist()], ~ours),
        "supplier_biin": biins(world, supplier),
        "supplier_innunp": None,
        "supplier_name_ru": russian,
        "supplier_name_kz": kazakh,
        "kato_list": absent(places, ~ours),
        "system_id": table.system[index],
    }
    return rows(len(index), columns)


def sanctions_detail(world: World, index: Array) -> list[Row]:
    """The applications for inclusion: ids of places and of the firm are numbers here."""
    table, seed = world.execution.sanctions, world.seed
    supplier = table.supplier[index]
    buyer = world.deals.buyer[table.deal[index]]
    supplier_ru, supplier_kz = names(world, supplier)
    buyer_ru, buyer_kz = names(world, buyer)
    columns = {
        "id": [str(number) for number in world.ids["rnu"].of(index).tolist()],
        "pid": pids(world, supplier),
        "customer_name_ru": buyer_ru,
        "customer_name_kz": buyer_kz,
        "customer_biin": biins(world, buyer),
        "supplier_name_ru": supplier_ru,
        "supplier_name_kz": supplier_kz,
        "supplier_biin": biins(world, supplier),
        "supplier_innunp": None,
        "supplier_head_name_kz": None,
        "supplier_head_name_ru": None,
        "supplier_head_biin": None,
        "court_decision": [f"№ 7119-{20 + number % 7}-00-2/{number}" for number in (index + 100).tolist()],
        "court_decision_date": stamps(table.begins[index] - 7 * DAY),
        "start_date": stamps(table.begins[index]),
        "end_date": stamps(table.ends[index]),
        "ref_reason_id": 1 + picked(seed, "reason", index, 4),
        "index_date": stamps(table.begins[index]),
        "system_id": table.system[index],
        "kato_list": [[int(REGIONS[region][0])] for region in world.parties.region[supplier].tolist()],
        "founders": None,
    }
    return rows(len(index), columns)
