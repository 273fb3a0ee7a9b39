"""What a flag is: it observes each process by itself, and concludes from what all observations add up to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from jobs.procurement.flags.process import Process

OCID, BUYER, ORGANISER, TENDERER = "OCID", "Buyer", "ProcuringEntity", "Tenderer"
GROUPS = (OCID, BUYER, ORGANISER, TENDERER)


class Observation(NamedTuple):
    """Of one process. In one of `GROUPS` it is a result: `numerator` is its value. Under any other name it is a
    measure: those of one subject are added up over all processes, and distinct details counted."""

    code: str
    part: str
    subject: str
    numerator: float = 0.0
    denominator: float = 0.0
    detail: str = ""


class Measure(NamedTuple):
    """What the observations of one subject add up to; `detail` is the greatest of them."""

    part: str
    subject: str
    numerator: float
    denominator: float
    distinct: int
    detail: str

    @property
    def ratio(self) -> float:
        return self.numerator / self.denominator


class Result(NamedTuple):
    """A flag that is raised."""

    group: str
    subject: str
    value: float


@dataclass
class Conclusion:
    """Results, and the quartiles and fences that they were found by."""

    results: list[Result] = field(default_factory=list)
    limits: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Common:
    """Settings that several flags share. Without a `currency` it is the first that is observed, by ocid."""

    currency: str | None = None
    price_comparison_procurement_methods: frozenset[str] = frozenset()
    no_price_comparison_procurement_methods: frozenset[str] = frozenset()
    excluded_method_details: frozenset[str] = frozenset()

    def includes(self, process: Process) -> bool:
        """Whether any flag is computed of a process."""
        return process.status != "cancelled" and process.method_details not in self.excluded_method_details

    def compares_prices(self, process: Process) -> bool:
        """Whether the lowest price wins in a process."""
        if self.price_comparison_procurement_methods:
            return process.method_details in self.price_comparison_procurement_methods
        return process.method_details not in self.no_price_comparison_procurement_methods


@dataclass(frozen=True)
class Flag(ABC):
    """A flag with its settings: its fields are the keys of its section. `SECTIONS` names fields that are sections of
    their own."""

    code: ClassVar[str] = ""
    SECTIONS: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def observe(self, process: Process, common: Common) -> Iterable[Observation]:
        """What one process contributes."""

    def observed_currency(self, process: Process, common: Common) -> str | None:  # noqa: ARG002
        """The first currency that the flag meets in a process; None for a flag that compares no amounts."""
        return None

    @classmethod
    def compares_amounts(cls) -> bool:
        """Whether it reads only amounts in the main currency."""
        return cls.observed_currency is not Flag.observed_currency

    def conclude(self, measures: Sequence[Measure]) -> Conclusion:  # noqa: ARG002
        """What follows from all processes together; nothing where each is judged by itself."""
        return Conclusion()

    def result(self, group: str, subject: str, value: float = 1.0) -> Observation:
        """A result that is certain from one process."""
        return Observation(self.code, group, subject, value)
