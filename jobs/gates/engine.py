"""Great Expectations: a suite is judged over a Spark table, with expectations that the library lacks.

Importing this takes seconds, so it is imported only by `jobs.gates.gates.shared_validator`, beside other work.

What an aggregate can say of the rows was read before (`jobs.gates.gates.figures`), in the one reading that the rows'
facts need too; the library is told these figures and judges by them. It asks Spark only for what that aggregate cannot
hold: keys, and rows that refer to another table. Its own expectations for the values of a column are what a suite
names; asked as they are, they take twice as long for a table in memory (DECISIONS.md has the figures).
`UnexpectedRowsExpectation` asks twice, through one temporary view of a fixed name, so that of two tables judged at once
one would be judged by the other's rows.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import great_expectations as gx
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.datasource.fluent import SparkDatasource
from great_expectations.execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

from jobs.core.errors import Failed
from schemas.contract import Contract
from schemas.derive.expectations import (
    DAY_IS_REACHED,
    KEY_NAMES_ONE_ROW,
    NO_ROW_BREAKS,
    REFERENCES_RESOLVE,
    TYPES_ARE,
    Expectation,
)
from schemas.derive.spark import ident

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# The library takes over the warnings of the whole process when it is imported, and drops them.
logging.captureWarnings(False)

_TABLE = MetricDomainTypes.TABLE
ROW_COUNT = "table.row_count"
FEW_ROWS = 50_000
"""Of so many rows the hashes of the keys are put into one set, which spares Spark an exchange."""


class PrecomputedEngine(SparkDFExecutionEngine):  # type: ignore[misc]
    """An engine that is told what was read before: by batch, the number of rows, and figures by expectation."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.counts: dict[str, int] = {}
        self.figures: dict[str, Mapping[str, Any]] = {}

    def resolve_metric_bundle(self, metric_fn_bundle: Any) -> Any:
        """Aggregate, but for a number of rows that is known."""
        known: dict[Any, int] = {}
        requested = []
        for one in metric_fn_bundle:
            metric, domain = one.metric_configuration, one.compute_domain_kwargs or {}
            counted = metric.metric_name == ROW_COUNT and not domain.get("row_condition")
            if counted and domain.get("batch_id") in self.counts:
                known[metric.id] = self.counts[domain["batch_id"]]
            else:
                requested.append(one)
        return known | super().resolve_metric_bundle(requested)


SparkDatasource.execution_engine_override = PrecomputedEngine


class Figures(TableMetricProvider):  # type: ignore[misc]
    """What was read of the table before, by expectation."""

    metric_name = "sauda.figures"

    @metric_value(engine=SparkDFExecutionEngine)  # type: ignore[untyped-decorator]
    def _spark(cls: Any, execution_engine: Any, metric_domain_kwargs: Any, **_: Any) -> Any:
        return execution_engine.figures[metric_domain_kwargs["batch_id"]]


class KeysOfSeveralRows(TableMetricProvider):  # type: ignore[misc]
    """How many keys name more than one row."""

    metric_name = "sauda.keys_of_several_rows"
    value_keys = ("column_list",)

    @metric_value(engine=SparkDFExecutionEngine)  # type: ignore[untyped-decorator]
    def _spark(
        cls: Any, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any
    ) -> Any:  # fmt: skip
        rows, _, _ = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=_TABLE)
        count = execution_engine.counts[metric_domain_kwargs["batch_id"]]
        return keys_of_several_rows(rows, metric_value_kwargs["column_list"], count)


def keys_of_several_rows(rows: DataFrame, keys: Sequence[str], count: int) -> int:
    """Different hashes mean different keys, and hashes are cheap to count; where two are the same the keys decide."""
    hashed = f"xxhash64({', '.join(map(ident, keys))})"
    if count <= FEW_ROWS:
        is_good = rows.selectExpr(f"size(collect_set({hashed}))").collect()[0][0] == count
    else:
        hashes = rows.selectExpr(f"{hashed} AS h").groupBy("h").count()
        is_good = not hashes.selectExpr("count_if(count > 1)").collect()[0][0]
    return 0 if is_good else rows.groupBy(*keys).count().where("count > 1").count()


class UnresolvedRows(TableMetricProvider):  # type: ignore[misc]
    """How many rows are broken by a condition that looks into another table, which no aggregation can hold."""

    metric_name = "sauda.unresolved_rows"
    value_keys = ("broken",)

    @metric_value(engine=SparkDFExecutionEngine)  # type: ignore[untyped-decorator]
    def _spark(
        cls: Any, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any
    ) -> Any:  # fmt: skip
        rows, _, _ = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=_TABLE)
        return rows.alias("r").where(metric_value_kwargs["broken"]).count()


class ColumnTypes(TableMetricProvider):  # type: ignore[misc]
    """The columns' types, as Spark writes them."""

    metric_name = "sauda.column_types"

    @metric_value(engine=SparkDFExecutionEngine)  # type: ignore[untyped-decorator]
    def _spark(cls: Any, execution_engine: Any, metric_domain_kwargs: Any, **_: Any) -> Any:
        rows, _, _ = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=_TABLE)
        return dict(rows.dtypes)


def _figure(expectation: Any, metrics: Any) -> Any:
    return metrics[Figures.metric_name][expectation.meta["name"]]


class ExpectColumnTypesToBe(BatchExpectation):  # type: ignore[misc]
    """Expect columns to be of types as Spark writes them; the library's own knows no digits of a decimal."""

    types: dict[str, str]
    metric_dependencies: ClassVar[tuple[str, ...]] = (ColumnTypes.metric_name,)
    success_keys: ClassVar[tuple[str, ...]] = ("types",)
    args_keys: ClassVar[tuple[str, ...]] = ("types",)

    def _validate(self, metrics: Any, **_: Any) -> Any:
        return {"success": metrics[ColumnTypes.metric_name] == self.types}


class ExpectNoRowToBreak(BatchExpectation):  # type: ignore[misc]
    """Expect a condition, in Spark's SQL, to be true for no row. `column` is the one that it is about, if any."""

    column: str | None = None
    broken: str
    metric_dependencies: ClassVar[tuple[str, ...]] = (Figures.metric_name,)
    success_keys: ClassVar[tuple[str, ...]] = ("broken",)
    args_keys: ClassVar[tuple[str, ...]] = ("column", "broken")

    def _validate(self, metrics: Any, **_: Any) -> Any:
        return {"success": not _figure(self, metrics)}


class ExpectDayToBeReached(BatchExpectation):  # type: ignore[misc]
    """Expect a column's newest day to be a day, or a later one; both are texts like 2026-01-31."""

    column: str
    day: Any
    metric_dependencies: ClassVar[tuple[str, ...]] = (Figures.metric_name,)
    success_keys: ClassVar[tuple[str, ...]] = ("column", "day")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "day")

    def _validate(self, metrics: Any, **_: Any) -> Any:
        newest = _figure(self, metrics)
        return {"success": newest is not None and newest >= self.day}


class ExpectKeyToNameOneRow(BatchExpectation):  # type: ignore[misc]
    """Expect the columns' values together to name one row each.

    The library's `expect_compound_columns_to_be_unique` sorts the whole table by them.
    """

    column_list: list[str]
    metric_dependencies: ClassVar[tuple[str, ...]] = (KeysOfSeveralRows.metric_name,)
    success_keys: ClassVar[tuple[str, ...]] = ("column_list",)
    args_keys: ClassVar[tuple[str, ...]] = ("column_list",)

    def _validate(self, metrics: Any, **_: Any) -> Any:
        return {"success": not metrics[KeysOfSeveralRows.metric_name]}


class ExpectReferencesToResolve(BatchExpectation):  # type: ignore[misc]
    """Expect no row, or few, for which the condition is true: it looks for another table's row that is referred to."""

    broken: str
    tolerated_pct: float
    metric_dependencies: ClassVar[tuple[str, ...]] = (UnresolvedRows.metric_name, ROW_COUNT)
    success_keys: ClassVar[tuple[str, ...]] = ("broken", "tolerated_pct")
    args_keys: ClassVar[tuple[str, ...]] = ("broken", "tolerated_pct")

    def _validate(self, metrics: Any, **_: Any) -> Any:
        tolerated = metrics[ROW_COUNT] * self.tolerated_pct / 100
        return {"success": metrics[UnresolvedRows.metric_name] <= tolerated}


_OURS: dict[str, Any] = {
    TYPES_ARE: ExpectColumnTypesToBe,
    NO_ROW_BREAKS: ExpectNoRowToBreak,
    KEY_NAMES_ONE_ROW: ExpectKeyToNameOneRow,
    REFERENCES_RESOLVE: ExpectReferencesToResolve,
    DAY_IS_REACHED: ExpectDayToBeReached,
}
assert all(e.expectation_type == name for name, e in _OURS.items())


@dataclass(frozen=True)
class Answers:
    """Whether each expectation, by its name, is kept, and the library's own result, of which its pages are made."""

    kept: Mapping[str, bool]
    validation: Any = field(repr=False)


class ExpectationValidator:
    """Asks Great Expectations, from any thread. Nothing is stored anywhere."""

    def __init__(self) -> None:
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False}
        self._tables: dict[str, Any] = {}
        self._lock = threading.Lock()

    def ask(
        self, rows: DataFrame, contract: Contract, requested: Sequence[Expectation], known: Mapping[str, Any], *,
        count: int, figures: Mapping[str, Any],
    ) -> Answers:  # fmt: skip
        """Judge the rows, of which there are `count`, by each expectation. `known` has the values that these need.

        `figures` are those of the expectations that are judged by one. Raises Failed where Great Expectations cannot
        say of one whether it holds.
        """
        batch = self._table(contract.name).get_batch({"dataframe": rows})
        engine = batch.data.execution_engine
        engine.counts[batch.id], engine.figures[batch.id] = count, figures
        suite = gx.ExpectationSuite(name=contract.name, expectations=list(map(_configured, requested)))
        validation = batch.validate(suite, result_format="BOOLEAN_ONLY", expectation_parameters=dict(known))
        results = {result.expectation_config.meta["name"]: result for result in validation.results}
        for expectation in requested:
            # An expectation that the library cannot read is left out of the suite with no more than a line in a log.
            trouble = _trouble(results[expectation.name]) if expectation.name in results else "it was not asked"
            if trouble:
                raise Failed(f"{contract.name} cannot be judged: {expectation.name}: {trouble}")
        return Answers({name: bool(result.success) for name, result in results.items()}, validation)

    @cached_property
    def _source(self) -> Any:
        # Not before there is a table: it starts Spark, of whatever settings, where none runs.
        return self._context.data_sources.add_spark("sauda", persist=False)

    def _table(self, name: str) -> Any:
        """The table as a thing to judge, whatever its rows."""
        with self._lock:
            if name not in self._tables:
                asset = self._source.add_dataframe_asset(name)
                self._tables[name] = asset.add_batch_definition_whole_dataframe("rows")
            return self._tables[name]


def _configured(expectation: Expectation) -> Any:
    """The expectation for the library: of rows by how many break it, else as the suite names it."""
    config = expectation.as_config()
    if not expectation.is_about_rows:
        return config
    about = {name: value for name, value in expectation.kwargs.items() if name == "column"}
    return config | {"type": NO_ROW_BREAKS, "kwargs": about | {"broken": expectation.broken}}


def _trouble(result: Any) -> str:
    """Why a result is none; empty where it is one."""
    info = result.exception_info or {}
    # One for the expectation, or one for each figure that it needs.
    infos = [info] if "raised_exception" in info else [i for i in info.values() if isinstance(i, Mapping)]
    messages = (str(i.get("exception_message") or "it raised an error") for i in infos if i.get("raised_exception"))
    return next(messages, "").strip().partition("\n")[0]
