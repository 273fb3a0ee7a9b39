"""Flags computed in plain Python, as `jobs.procurement.indicators` does it in Spark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobs.procurement.flags.flag import GROUPS, Common, Flag, Measure, Observation
from jobs.procurement.flags.process import Award, Bid, Process

Raised = dict[tuple[str, str], float]


def bid(status: str, tenderer: str | tuple[str, ...], amount: float | None = None, **more: Any) -> Bid:
    """A bid in dollars."""
    tenderers = (tenderer,) if isinstance(tenderer, str) else tenderer
    return Bid(status, more.get("date"), amount, more.get("currency", "USD"), tenderers)


def award(*suppliers: str, status: str = "active", codes: Sequence[str] = ()) -> Award:
    return Award(status, suppliers, tuple(codes))


def contest(ocid: str, *bids: Bid, winner: str = "W", **more: Any) -> Process:
    """A process that one supplier has won."""
    return Process(ocid, bids=bids, awards=(award(winner),), **more)


def concluded(
    flag: Flag, processes: Sequence[Process], common: Common | None = None
) -> tuple[Raised, dict[str, float]]:
    """What is raised, by group and id, and the limits."""
    shared = common or Common(currency="USD")
    seen: list[Observation] = [one for process in processes for one in flag.observe(process, shared)]
    results = {(one.part, one.subject): one.numerator for one in seen if one.part in GROUPS}
    measures: dict[tuple[str, str], list[Observation]] = {}
    for one in seen:
        if one.part not in GROUPS:
            measures.setdefault((one.part, one.subject), []).append(one)
    conclusion = flag.conclude([
        Measure(
            part, subject, sum(one.numerator for one in same), sum(one.denominator for one in same),
            len({one.detail for one in same}), max(one.detail for one in same),
        )
        for (part, subject), same in measures.items()
    ])  # fmt: skip
    results |= {(result.group, result.subject): result.value for result in conclusion.results}
    return results, conclusion.limits


def raised(flag: Flag, processes: Sequence[Process], common: Common | None = None) -> Raised:
    """What is raised, by group and id."""
    return concluded(flag, processes, common)[0]
