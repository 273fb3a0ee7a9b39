"""The registers of the service over the world: which rows are there now, in what order, and how they look.

A register's rows are found by row number. It holds those whose `created` has come and whose `gone` has not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from standins.goszakup import rows_contracts, rows_parties, rows_plans, rows_tenders
from standins.goszakup.columns import NEVER, Array, Ids, Row
from standins.goszakup.world import World

Shape = Callable[[World, Array], list[Row]]
Changed = Callable[[World, Array], Array]


@dataclass
class Register:
    """`created` ascends with the row number. `detail` is the path of one row, as the journal names it, if it has one.

    `times` are further instants at which rows change, each an array of the register's length.
    """

    service: str
    title: str
    ids: Ids
    created: Array
    gone: Array | None
    times: Callable[[], tuple[Array, ...]]
    detail: str
    _counts: dict[int, int] = field(default_factory=dict)

    def seen(self, clock: int) -> int:
        """How many rows have been created by now, those that left again among them."""
        return int(np.searchsorted(self.created, clock, side="right"))

    def count(self, clock: int) -> int:
        """How many rows a full walk yields."""
        if clock not in self._counts:
            n = self.seen(clock)
            left = 0 if self.gone is None else int(np.count_nonzero(self.gone[:n] <= clock))
            self._counts[clock] = n - left
        return self._counts[clock]

    def present(self, index: Array, clock: int) -> Array:
        """Those of the rows that are in the register now, in their order."""
        there = self.created[index] <= clock
        if self.gone is not None:
            there &= self.gone[index] > clock
        return index[there]

    def last(self, before: int, n: int, clock: int) -> Array:
        """The `n` highest rows below row `before`, the highest first."""
        chunks: list[Array] = []
        missing, end = n, min(before, self.seen(clock))
        while missing > 0 and end > 0:
            start = max(0, end - missing - 8)
            chunk = self.present(np.arange(end - 1, start - 1, -1), clock)
            chunks.append(chunk[:missing])
            missing -= len(chunks[-1])
            end = start
        return np.concatenate(chunks) if chunks else np.zeros(0, dtype=np.int64)

    def one(self, number: int, clock: int) -> Array:
        """The row of an id, as an array of one; empty if it is not there now."""
        index = self.ids.find(number)
        if not 0 <= index < len(self.created):
            return np.zeros(0, dtype=np.int64)
        return self.present(np.array([index]), clock)


def registers(world: World) -> dict[str, Register]:
    """All registers by the name of their ids in the world."""
    parties, tenders, lots, points = world.parties, world.tenders, world.lots, world.points
    bids, contracts, execution, deals = world.bids, world.contracts, world.execution, world.deals
    acts, paid, listed = execution.acts, execution.payments, execution.sanctions

    def of_tenders(index: Array | slice) -> tuple[Array, ...]:
        final, cancelled = tenders.final[index], tenders.cancelled[index]
        opens, closes = tenders.opens[index], tenders.closes[index]
        # What would have come after a cancellation does not come.
        return np.where(cancelled & (opens > final), final, opens), np.where(cancelled, final, closes), final

    def of_contracts() -> tuple[Array, ...]:
        every = np.arange(len(contracts.deal))
        deal = contracts.deal
        return contracts.signed, np.where(deals.draft[deal], rows_contracts.deleted_at(world, every), deals.ends[deal])

    def at_once() -> tuple[Array, ...]:
        return ()

    every = slice(None)
    return {
        "subject": Register("subject", "Участники", world.ids["subject"], parties.created, None,
                            lambda: (parties.touched,), "/v3/subject/{id}"),
        "rnu": Register("rnu", "Реестр недобросовестных участников", world.ids["rnu"], listed.begins, listed.ends,
                        at_once, "/v3/rnu/{biin}"),
        "points": Register("plans", "Пункты плана", world.ids["points"], points.created, points.gone,
                           lambda: (points.approved,), "/v3/plans/view/{id}"),
        "kato": Register("plans_kato", "Места поставки", world.ids["kato"], points.created, points.gone, at_once, ""),
        "spec": Register("plans_spec", "Специфики", world.ids["spec"], points.created, points.gone, at_once, ""),
        "trd_buy": Register("trd_buy", "Объявления", world.ids["trd_buy"], tenders.published, tenders.gone,
                            lambda: of_tenders(every), "/v3/trd-buy/{id}"),
        "lots": Register("lots", "Лоты", world.ids["lots"], tenders.published[lots.tender], tenders.gone[lots.tender],
                         lambda: of_tenders(lots.tender), "/v3/lots/{id}"),
        "trd_app": Register("trd_app", "Заявки", world.ids["trd_app"], bids.applied, None,
                            lambda: (tenders.final[bids.tender],), ""),
        "contract": Register("contract", "Договоры", world.ids["contract"], contracts.created,
                             np.where(contracts.place == 0, deals.gone[contracts.deal], NEVER), of_contracts,
                             "/v3/contract/{id}"),
        "acts": Register("acts", "Акты", world.ids["acts"], acts.created, None,
                         lambda: (acts.approved,), "/v3/acts/{id}"),
        "payments": Register("treasury_pay", "Платежи казначейства", world.ids["payments"], paid.paid, None,
                             at_once, ""),
    }  # fmt: skip


SHAPES: dict[str, tuple[str, Shape]] = {
    "subject_short": ("subject", rows_parties.subjects_short),
    "subject_full": ("subject", rows_parties.subjects_full),
    "subject_detail": ("subject", rows_parties.subjects_detail),
    "rnu": ("rnu", rows_parties.sanctions),
    "rnu_detail": ("rnu", rows_parties.sanctions_detail),
    "planners": ("subject", rows_plans.planners),
    "points": ("points", rows_plans.points),
    "points_parts": ("points", rows_plans.points_with_parts),
    "kato": ("kato", rows_plans.places),
    "spec": ("spec", rows_plans.budget_lines),
    "points_deleted": ("points", rows_plans.deleted_points),
    "tenders_short": ("trd_buy", rows_tenders.tenders_short),
    "tenders_full": ("trd_buy", rows_tenders.tenders_full),
    "lots": ("lots", rows_tenders.lots),
    "applications": ("trd_app", rows_tenders.applications),
    "contracts_short": ("contract", rows_contracts.contracts_short),
    "contracts_full": ("contract", rows_contracts.contracts_full),
    "acts": ("acts", rows_contracts.acts),
    "payments": ("payments", rows_contracts.payments),
}
"""What a row looks like: the register it comes from, and the function that writes it."""
