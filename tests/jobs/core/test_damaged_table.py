"""What is said of a table whose files cannot be read."""

from __future__ import annotations

from typing import Any, cast

import pytest

from jobs.commands import reconcile
from jobs.core.compare import Difference, Total
from jobs.core.damaged_table import damage_sentence
from schemas.contract import find

SILVER, GOLD = "silver.purchase_lines", "gold.purchases_seller_daily"


@pytest.mark.parametrize(
    ("table", "error", "output"),
    [
        (
            SILVER,
            "Code: 271. DB::Exception: Malformed snappy compressed page: column: a: "
            "(in file/uri lake/warehouse/silver/purchase_lines/part-1.snappy.parquet): While executing S3. (X) "
            "(version 26.9.2.1)",
            f"{SILVER} cannot be read: its file lake/warehouse/silver/purchase_lines/part-1.snappy.parquet is damaged "
            "or gone (Malformed snappy compressed page: column: a: (in file/uri "
            "lake/warehouse/silver/purchase_lines/part-1.snappy.parquet): While executing S3. (X)). Put the file back "
            f"from a copy of the bucket; until then {SILVER} is not whole in the lake.",
        ),
        (
            SILVER,
            "Code: 499. DB::Exception: The specified key does not exist: while reading key: "
            "warehouse/bronze/purchases/part-2.parquet, from bucket: lake",
            "until then bronze.purchases is not whole in the lake.",
        ),
        (GOLD, "(in file/uri lake/warehouse/gold/purchases_seller_daily/p.parquet)", f"./start.sh job {GOLD} builds"),
        (SILVER, "Connection refused: http://x/p.parquet", f"{SILVER} cannot be read: Connection refused"),
        (SILVER, "", f"{SILVER} cannot be read: RuntimeError"),
    ],
)  # fmt: skip
def test_the_sentence_names_table_file_and_cure(table: str, error: str, output: str) -> None:
    actual = damage_sentence(table, RuntimeError(error))

    assert output in actual
    assert "\n" not in actual


class Played:
    """A table whose comparison is played."""

    def __init__(self, name: str, error: str = "") -> None:
        self.contract, self.error = find(name), error

    def compare(self) -> Difference:
        if self.error:
            raise RuntimeError(self.error)
        return Difference(self.contract.name, 1, (), Total(3, 3, {}))


def test_a_damaged_table_does_not_keep_the_others_from_being_compared(capsys: pytest.CaptureFixture[str]) -> None:
    played = [Played(SILVER, "(in file/uri lake/warehouse/silver/purchase_lines/p.parquet)"), Played(GOLD)]
    findings = [reconcile._finding(cast("Any", table), repair=True) for table in played]
    reconcile._show(findings)
    shown = capsys.readouterr()

    assert [finding.is_equal for finding in findings] == [False, True]
    assert reconcile._state(findings) == "failed"
    assert "p.parquet is damaged or gone" in shown.err
    assert "cannot be read" in shown.out
    assert "Lake and ClickHouse differ" not in shown.out
    assert reconcile._as_json(findings[0])["error"] == findings[0].error
