"""Which columns hold values of another table's column: declared by ``refers_to``, looked up where all tables are known.

A reference holds within one collection, where tables have these. An empty value and ``0`` refer to nothing. A column
whose name ends in ``_ids`` holds a JSON list of values.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.contract import Column, Contract, tables


@dataclass(frozen=True)
class Reference:
    """Values of `column` of the table `source` are values of `target_column` of `target`.

    `part` is the view of a split table's part, where the reference is to one; else it is empty.
    """

    source: Contract
    column: Column
    target: Contract
    target_column: Column
    part: str = ""

    @property
    def is_list(self) -> bool:
        return self.column.endswith("_ids")

    @property
    def target_name(self) -> str:
        """What is referred to, as the contract says it without the column."""
        return self.part or self.target.name


def references(contract: Contract) -> tuple[Reference, ...]:
    """The references of a table. Raises ValueError for one to a table or column that no contract has,
    or within a column that not both tables have."""
    return tuple(_resolve(contract, column) for column in contract.columns if column.refers_to)


def _resolve(source: Contract, column: Column) -> Reference:
    table, _, name = column.refers_to.rpartition(".")
    for target in tables():
        if table == target.name or table in target.split_views:
            if name not in target.columns:
                break
            within = column.refers_within
            if within and not (within in source.columns and within in target.columns):
                raise ValueError(f"{source.name}.{column} refers within {within}, which not both tables have")
            return Reference(source, column, target, target.column(name), table if table in target.split_views else "")
    raise ValueError(f"{source.name}.{column} refers to {column.refers_to}, which no contract has")
