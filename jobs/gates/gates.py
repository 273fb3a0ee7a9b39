"""The gates before a table is published: its suite, judged by Great Expectations over the finished rows.

The rows are read once, for their facts and for every figure by which an expectation can be judged; the library says
what is kept and what is not. Which row to show is asked only of what is broken.
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

from jobs.core.errors import Failed, sentence
from jobs.core.fingerprint import Facts, spark_facts
from schemas.contract import Contract
from schemas.contract.rules import OnFail
from schemas.derive.expectations import KEY, Expectation, suite, typed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.gates.engine import ExpectationValidator

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
class GateResult:
    """The finished rows' facts, what was asked of them, and what was not kept. `seconds` is what asking took.

    `seen` has the values that expectations about the whole table were judged by, and `validation` is Great
    Expectations' own result.
    """

    facts: Facts
    expectations: tuple[Expectation, ...]
    verdicts: tuple[Verdict, ...]
    seconds: float = 0.0
    known: Mapping[str, Any] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    validation: Any = field(default=None, repr=False)

    @property
    def checked(self) -> int:
        """How many expectations there were."""
        return len(self.expectations)

    @property
    def stops(self) -> str:
        """Why the table is not to be published; empty where nothing stands against it."""
        return "; ".join(str(verdict) for verdict in self.verdicts if verdict.stops)

    def as_json(self) -> str:
        return json.dumps({"checked": self.checked, "broken": [asdict(v) for v in self.verdicts]}, ensure_ascii=False)


def validate_rows(
    rows: DataFrame, contract: Contract, known: Mapping[str, Any] | None = None, *,
    warn_only: bool = False, shown: Sequence[str] = (),
) -> GateResult:  # fmt: skip
    """Judge the finished rows. They are read several times, so keep them in memory.

    `known` has the values that some expectations need (`schemas.derive.expectations`). With `warn_only` nothing stops.
    `shown` are the columns by which an example is shown; where none is given, those that may be served, which leaves
    out what tells of a person.
    """
    known = known or {}
    expectations = tuple(e for e in suite(contract) if all(name in known for name in e.needs))
    if warn_only:
        expectations = tuple(replace(e, on_fail=OnFail.WARN) for e in expectations)
    facts, measured = figures(rows, contract, expectations)
    began = time.monotonic()
    answers = shared_validator().ask(rows, contract, expectations, known, count=facts.rows, figures=measured)
    seen = _seen(rows, facts, expectations, measured)
    broken = [e for e in expectations if not answers.kept[e.name]]
    verdicts = tuple(_verdict(rows, contract, e, seen, known, measured, shown) for e in broken)
    return GateResult(facts, expectations, verdicts, time.monotonic() - began, known, seen, answers.validation)


def figures(
    rows: DataFrame, contract: Contract, expectations: Sequence[Expectation] = ()
) -> tuple[Facts, dict[str, Any]]:  # fmt: skip
    """The rows' facts and, in the same reading, the figures of the expectations that have one, by their names.

    Raises Failed where a condition cannot be asked.
    """
    from pyspark.errors import AnalysisException

    facts, wanted = spark_facts(contract), {e.name: e.figure for e in expectations if e.figure}
    try:
        asking = rows.selectExpr(*(f"{sql} AS `{n}`" for n, sql in enumerate([*facts, *wanted.values()])))
    except AnalysisException as error:
        raise Failed(f"{contract.name} cannot be judged: {sentence(error)}") from None
    (answer,) = asking.collect()
    figured = dict(zip(wanted, answer[len(facts) :], strict=True))
    return Facts.of(contract, answer[: len(facts)]), figured


def _seen(
    rows: DataFrame, facts: Facts, expectations: Sequence[Expectation], measured: Mapping[str, Any]
) -> dict[str, str]:  # fmt: skip
    """What the expectations about the whole table were judged by, in words."""
    newest = {e.name: str(measured[e.name] or "no day") for e in expectations if e.figure and not e.is_about_rows}
    shape = {"columns": ", ".join(rows.columns), "types": typed(dict(rows.dtypes))}
    return {"row_count": str(facts.rows)} | shape | newest


def _verdict(
    rows: DataFrame, contract: Contract, e: Expectation, seen: Mapping[str, str], known: Mapping[str, Any],
    measured: Mapping[str, Any], shown: Sequence[str],
) -> Verdict:  # fmt: skip
    count, example = 0, ""
    if e.name == KEY:
        count, example = _keys_twice(rows, contract)
    elif e.broken:
        bad = rows.alias("r").where(e.broken)
        count = measured[e.name] if e.is_about_rows else bad.count()
        example = _example(bad.orderBy(*contract.key), shown or contract.serving_columns)
    value = seen.get(e.name) or f"{count} rows"
    return Verdict(e.name, e.sentence, count, example, e.stops, value, e.wanted.format(**known))


def _keys_twice(rows: DataFrame, contract: Contract) -> tuple[int, str]:
    twice = rows.groupBy(*contract.key).count().where("count > 1")
    return twice.count(), _example(twice.orderBy(*contract.key), twice.columns)


def _example(rows: DataFrame, shown: Sequence[str]) -> str:
    """The first row, in words; empty where there is none."""
    measured = rows.select(*shown).limit(1).collect()
    values = measured[0].asDict().items() if measured else ()
    return ", ".join(f"{name} {value}" for name, value in values if value is not None)[:300]


def shared_validator() -> ExpectationValidator:
    """The one of this process; waits until it is there."""
    return _loading().result()


def prepare() -> None:
    """Begin to load Great Expectations: it takes two seconds, in which Spark can start."""
    _loading()


_once = threading.Lock()


def _loading() -> Future[ExpectationValidator]:
    with _once:
        return _begun()


@lru_cache(maxsize=1)
def _begun() -> Future[ExpectationValidator]:
    # All of it, or two threads would import parts of it at once.
    import pyspark.sql  # noqa: F401

    return ThreadPoolExecutor(1, "expectations").submit(_load)


def _load() -> ExpectationValidator:
    hidden = [name for name in UNWANTED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        from jobs.gates.engine import ExpectationValidator

        return ExpectationValidator()
    finally:
        for name in hidden:
            del sys.modules[name]
