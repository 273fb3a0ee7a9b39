"""Great Expectations: a suite is judged over a Spark table, with expectations that the library lacks.

Importing this takes seconds, so it is imported only by `jobs.gates.the_judge`, beside other work.

`UnexpectedRowsExpectation`, the library's own for conditions in SQL, is not used: each asks two questions of Spark, and
all of them go through one temporary view of a fixed name, so that of two tables judged at once one would be judged by
the other's rows. Nor are its own for the values of a column: each makes five figures and fifty calls to Java, which of
a small table cost more than the answer. A suite names them, and what they say of a value is counted here by its
condition in SQL: one figure each, all in one aggregation.

The library asks for its figures in waves, as they can be had, and each wave is a question to Spark. All that is about
columns waits for the number of rows, which is known here. The engine below lets what an aggregation can answer wait
until nothing else is left, so that it is one aggregation.
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
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.datasource.fluent import SparkDatasource
from great_expectations.execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial, metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from pyspark.sql import functions as F

from jobs.errors import Failed
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
"""Of so many rows the hashes of their keys are held at once, in the one aggregation."""


class OneReading(SparkDFExecutionEngine):  # type: ignore[misc]
    """Reads the rows once for all that can be aggregated together: the figures of columns, and those of the table.

    `counted` has the number of rows of a batch where it is known; everything about columns waits for it.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.counted: dict[str, int] = {}

    def resolve_metrics(self, metrics_to_resolve: Any, *others: Any, **named: Any) -> Any:
        """Resolve what is no aggregate; where there is none of that, the aggregates. The library asks again."""
        ready = list(metrics_to_resolve)
        first = [m for m in ready if "metric_partial_fn" not in m.metric_dependencies or m.metric_name == ROW_COUNT]
        return super().resolve_metrics(first or ready, *others, **named)

    def resolve_metric_bundle(self, metric_fn_bundle: Any) -> Any:
        """Aggregate, but for a number of rows that is known."""
        known: dict[Any, int] = {}
        asked = []
        for one in metric_fn_bundle:
            metric, domain = one.metric_configuration, one.compute_domain_kwargs or {}
            counted = metric.metric_name == ROW_COUNT and not domain.get("row_condition")
            if counted and domain.get("batch_id") in self.counted:
                known[metric.id] = self.counted[domain["batch_id"]]
            else:
                asked.append(one)
        return known | super().resolve_metric_bundle(asked)


SparkDatasource.execution_engine_override = OneReading


class BrokenRows(TableMetricProvider):  # type: ignore[misc]
    """For how many rows a condition is true."""

    metric_name = "sauda.broken_rows"
    value_keys = ("broken",)

    @metric_partial(
        engine=SparkDFExecutionEngine, partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN, domain_type=_TABLE
    )  # type: ignore[untyped-decorator]
    def _spark(cls: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> Any:
        return F.expr(f"count_if({metric_value_kwargs['broken']})"), metric_domain_kwargs, {}


class KeysOfSeveralRows(TableMetricProvider):  # type: ignore[misc]
    """How many keys name more than one row."""

    metric_name = "sauda.keys_of_several_rows"
    value_keys = ("column_list",)

    @metric_value(engine=SparkDFExecutionEngine)  # type: ignore[untyped-decorator]
    def _spark(
        cls: Any, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any
    ) -> Any:  # fmt: skip
        rows, _, _ = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=_TABLE)
        return keys_of_several_rows(rows, metric_value_kwargs["column_list"])


def keys_of_several_rows(rows: DataFrame, keys: Sequence[str]) -> int:
    """Different hashes mean different keys, and hashes are cheap to count; where two are the same the keys decide."""
    hashed = rows.selectExpr(f"xxhash64({', '.join(map(ident, keys))}) AS h").groupBy("h").count()
    if not hashed.selectExpr("count_if(count > 1)").collect()[0][0]:
        return 0
    return rows.groupBy(*keys).count().where("count > 1").count()


class DistinctKeys(TableMetricProvider):  # type: ignore[misc]
    """How many keys there are, by their hashes, in a table of few rows."""

    metric_name = "sauda.distinct_keys"
    value_keys = ("column_list",)

    @metric_partial(
        engine=SparkDFExecutionEngine, partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN, domain_type=_TABLE
    )  # type: ignore[untyped-decorator]
    def _spark(cls: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> Any:
        keys = ", ".join(map(ident, metric_value_kwargs["column_list"]))
        return F.expr(f"size(collect_set(xxhash64({keys})))"), metric_domain_kwargs, {}


class NewestDay(TableMetricProvider):  # type: ignore[misc]
    """The newest day in a column of days or instants, as a text; None where there is none."""

    metric_name = "sauda.newest_day"
    value_keys = ("column",)

    @metric_partial(
        engine=SparkDFExecutionEngine, partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN, domain_type=_TABLE
    )  # type: ignore[untyped-decorator]
    def _spark(cls: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> Any:
        newest = f"max(CAST({ident(metric_value_kwargs['column'])} AS DATE))"
        return F.expr(f"CAST({newest} AS STRING)"), metric_domain_kwargs, {}


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
    metric_dependencies: ClassVar[tuple[str, ...]] = (BrokenRows.metric_name,)
    success_keys: ClassVar[tuple[str, ...]] = ("broken",)
    args_keys: ClassVar[tuple[str, ...]] = ("column", "broken")

    def _validate(self, metrics: Any, **_: Any) -> Any:
        return {"success": not metrics[BrokenRows.metric_name]}


class ExpectDayToBeReached(BatchExpectation):  # type: ignore[misc]
    """Expect a column's newest day to be a day, or a later one; both are texts like 2026-01-31."""

    column: str
    day: Any
    metric_dependencies: ClassVar[tuple[str, ...]] = (NewestDay.metric_name,)
    success_keys: ClassVar[tuple[str, ...]] = ("column", "day")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "day")

    def _validate(self, metrics: Any, **_: Any) -> Any:
        newest = metrics[NewestDay.metric_name]
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


class ExpectFewKeysToNameOneRow(BatchExpectation):  # type: ignore[misc]
    """The same of a table of few rows: that needs no question of its own."""

    column_list: list[str]
    metric_dependencies: ClassVar[tuple[str, ...]] = (DistinctKeys.metric_name, ROW_COUNT)
    success_keys: ClassVar[tuple[str, ...]] = ("column_list",)
    args_keys: ClassVar[tuple[str, ...]] = ("column_list",)

    def _validate(self, metrics: Any, **_: Any) -> Any:
        return {"success": metrics[DistinctKeys.metric_name] == metrics[ROW_COUNT]}


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


class Judge:
    """Asks Great Expectations, from any thread. Nothing is stored anywhere."""

    def __init__(self) -> None:
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False}
        self._tables: dict[str, Any] = {}
        self._lock = threading.Lock()

    def ask(
        self, rows: DataFrame, contract: Contract, asked: Sequence[Expectation], known: Mapping[str, Any], count: int
    ) -> Answers:
        """Judge the rows, of which there are `count`, by each expectation. `known` has the values that these need.

        Raises Failed where Great Expectations cannot say of one whether it holds.
        """
        batch = self._table(contract.name).get_batch({"dataframe": rows})
        batch.data.execution_engine.counted[batch.id] = count
        suite = gx.ExpectationSuite(name=contract.name, expectations=[_configured(e, count) for e in asked])
        found = batch.validate(suite, result_format="BOOLEAN_ONLY", expectation_parameters=dict(known))
        results = {result.expectation_config.meta["name"]: result for result in found.results}
        for expectation in asked:
            # An expectation that the library cannot read is left out of the suite with no more than a line in a log.
            trouble = _trouble(results[expectation.name]) if expectation.name in results else "it was not asked"
            if trouble:
                raise Failed(f"{contract.name} cannot be judged: {expectation.name}: {trouble}")
        return Answers({name: bool(result.success) for name, result in results.items()}, found)

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


def _configured(expectation: Expectation, count: int) -> Any:
    """The expectation for the library, of a table with so many rows: as it is judged with the fewest questions."""
    config = expectation.as_config()
    if expectation.type == KEY_NAMES_ONE_ROW and count <= FEW_ROWS:
        return config | {"type": ExpectFewKeysToNameOneRow.expectation_type}
    if expectation.is_about_rows:
        about = {name: config["kwargs"][name] for name in ("column",) if name in config["kwargs"]}
        return config | {"type": NO_ROW_BREAKS, "kwargs": about | {"broken": expectation.broken}}
    return config


def _trouble(result: Any) -> str:
    """Why a result is none; empty where it is one."""
    info = result.exception_info or {}
    # One for the expectation, or one for each figure that it needs.
    infos = [info] if "raised_exception" in info else [i for i in info.values() if isinstance(i, Mapping)]
    said = (str(i.get("exception_message") or "it raised an error") for i in infos if i.get("raised_exception"))
    return next(said, "").strip().partition("\n")[0]
