"""The last step of every transform: the contract's columns, in its order and its types, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jobs.core.errors import Failed
from schemas.contract import Contract
from schemas.derive.spark import ident

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def conform(rows: DataFrame, contract: Contract) -> DataFrame:
    """Select, cast and order the columns. Raises Failed, naming it, for a column that is missing or unknown.

    A cast that would lose something is an error when the rows are made, as Spark's ANSI mode has it.
    """
    present, wanted = set(rows.columns), set(contract.columns)
    if len(present) != len(rows.columns):
        twice = sorted({name for name in rows.columns if rows.columns.count(name) > 1})
        raise Failed(f"{contract.name} is built with {_listed(twice)} more than once.")
    if wanted - present:
        raise Failed(f"{contract.name} is built without {_listed(c for c in contract.columns if c not in present)}.")
    if present - wanted:
        extra = _listed(name for name in rows.columns if name not in wanted)
        raise Failed(f"{contract.name} is built with {extra}, which its contract does not have.")
    return rows.selectExpr(*(f"CAST({ident(c)} AS {c.type.spark}) AS {ident(c)}" for c in contract.columns))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
