"""The gates before a table is published: its suite, judged by Great Expectations over the finished rows.

The library says what is kept and what is not. How many rows do not keep it, and which one to show, is asked only of
what is broken: of a good table nobody wants to know.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jobs.fingerprint import Facts, spark_facts
from schemas.contract import Contract
from schemas.derive.expectations import DAY_IS_REACHED, KEY, Expectation, suite, typed
from schemas.derive.spark import ident
from schemas.rules import OnFail

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.expect import Judge

UNWANTED = ("pyspark.sql.connect", "pyspark.ml")
"""Great Expectations takes them where they can be imported. Of these the first ends the process where it was not
started by a script, as a worker of pytest-xdist is, and the second takes half a second."""


@dataclass(frozen=True)
class Verdict:
    """An expectation that the table does not keep. `rows` do not keep it; 0 where it is about the table as a whole."""

    gate: str
    sentence: str
    rows: int
    example: str
    stops: bool
    seen: str
    wanted: str

    def __str__(self) -> str:
        if not self.rows:
            return f"{self.sentence}; seen {self.seen}, wanted {self.wanted}"
        shown = f", for example {self.example}" if self.example else ""
        return f"{self.sentence}; {self.rows:,} rows do not keep this{shown}"


@dataclass(frozen=True)
class Judgement:
    """The finished rows' facts, what was asked of them, and what was not kept. `seconds` is what asking took.

    `seen` has the values that expectations about the whole table were judged by, and `validation` is Great
    Expectations' own result.
    """

    facts: Facts
    asked: tuple[Expectation, ...]
    verdicts: tuple[Verdict, ...]
    seconds: float = 0.0
    known: Mapping[str, Any] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    validation: Any = field(default=None, repr=False)

    @property
    def checked(self) -> int:
        """How many expectations there were."""
        return len(self.asked)

    @property
    def stops(self) -> str:
        """Why the table is not to be published; empty where nothing stands against it."""
        return "; ".join(str(verdict) for verdict in self.verdicts if verdict.stops)

    def as_json(self) -> str:
        return json.dumps({"checked": self.checked, "broken": [asdict(v) for v in self.verdicts]}, ensure_ascii=False)


def judge(
    rows: DataFrame, contract: Contract, known: Mapping[str, Any] | None = None, *,
    warn_only: bool = False, shown: Sequence[str] = (),
) -> Judgement:  # fmt: skip
    """Judge the finished rows. They are read several times, so keep them in memory.

    `known` has the values that some expectations need (`schemas.derive.expectations`). With `warn_only` nothing stops.
    `shown` are the columns by which an example is shown; where none is given, those that may be served, which leaves
    out what tells of a person.
    """
    known = known or {}
    asked = tuple(e for e in suite(contract) if all(name in known for name in e.needs))
    if warn_only:
        asked = tuple(replace(e, on_fail=OnFail.WARN) for e in asked)
    facts, seen = figures(rows, contract)
    began = time.monotonic()
    answers = the_judge().ask(rows, contract, asked, known, facts.rows)
    broken = [e for e in asked if not answers.kept[e.name]]
    verdicts = tuple(_verdict(rows, contract, e, seen, known, shown) for e in broken)
    # Of few rows keys are compared by their hashes; two that only hash alike are no fault.
    verdicts = tuple(v for v in verdicts if v.rows or v.gate != KEY)
    return Judgement(facts, asked, verdicts, time.monotonic() - began, known, seen, answers.validation)


def figures(rows: DataFrame, contract: Contract) -> tuple[Facts, dict[str, str]]:
    """The rows' facts and, in the same reading, what the expectations about the whole table look at."""
    facts, reached = spark_facts(contract), [e for e in suite(contract) if e.type == DAY_IS_REACHED]
    newest = [f"max(CAST({ident(e.kwargs['column'])} AS DATE))" for e in reached]
    (answer,) = rows.selectExpr(*(f"{sql} AS `{n}`" for n, sql in enumerate([*facts, *newest]))).collect()
    stand = Facts.of(contract, answer[: len(facts)])
    seen = {e.name: str(day or "no day") for e, day in zip(reached, answer[len(facts) :], strict=True)}
    shape = {"columns": ", ".join(rows.columns), "types": typed(dict(rows.dtypes))}
    return stand, {"row_count": str(stand.rows)} | shape | seen


def _verdict(
    rows: DataFrame, contract: Contract, e: Expectation, seen: Mapping[str, str], known: Mapping[str, Any],
    shown: Sequence[str],
) -> Verdict:  # fmt: skip
    count, example = 0, ""
    if e.name == KEY:
        count, example = _keys_twice(rows, contract)
    elif e.broken:
        bad = rows.alias("r").where(e.broken)
        count, example = bad.count(), _example(bad.orderBy(*contract.key), shown or contract.serving_columns)
    value = seen.get(e.name) or f"{count} rows"
    return Verdict(e.name, e.sentence, count, example, e.stops, value, e.wanted.format(**known))


def _keys_twice(rows: DataFrame, contract: Contract) -> tuple[int, str]:
    twice = rows.groupBy(*contract.key).count().where("count > 1")
    return twice.count(), _example(twice.orderBy(*contract.key), twice.columns)


def _example(rows: DataFrame, shown: Sequence[str]) -> str:
    """The first row, in words; empty where there is none."""
    found = rows.select(*shown).limit(1).collect()
    values = found[0].asDict().items() if found else ()
    return ", ".join(f"{name} {value}" for name, value in values if value is not None)[:300]


def the_judge() -> Judge:
    """The one of this process; waits until it is there."""
    return _loading().result()


def prepare() -> None:
    """Begin to load Great Expectations: it takes two seconds, in which Spark can start."""
    _loading()


_once = threading.Lock()


def _loading() -> Future[Judge]:
    with _once:
        return _begun()


@lru_cache(maxsize=1)
def _begun() -> Future[Judge]:
    # All of it, or two threads would import parts of it at once.
    import pyspark.sql  # noqa: F401

    return ThreadPoolExecutor(1, "expectations").submit(_load)


def _load() -> Judge:
    hidden = [name for name in UNWANTED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        from jobs.expect import Judge

        return Judge()
    finally:
        for name in hidden:
            del sys.modules[name]
