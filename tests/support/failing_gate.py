"""A night whose transform of one table has gone wrong: ``python -m tests.support.failing_gate TABLE [OPTIONS]``.

Its order counts come out negative, which the table's contract forbids.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from jobs.commands import run
from jobs.core import registry
from tests.support.commands import exit_code

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def main(table: str, *options: str) -> int:
    transform = registry.transforms()[table]

    def gone_wrong(*inputs: DataFrame) -> DataFrame:
        return transform.build(*inputs).selectExpr("* EXCEPT (order_count)", "-order_count AS order_count")

    registry._registered[table] = replace(transform, build=gone_wrong)
    return exit_code(run.main, [table, *options])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
