"""Spark comes to what each flag comes to by itself, in Cardinal's form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from jobs.procurement.flags.process import COLUMNS
from jobs.procurement.flags.settings import read_settings
from jobs.procurement.indicators import compute, export, main

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROW: dict[str, Any] = dict.fromkeys(map(str, COLUMNS))
NUMBERS = {"published_tenderer_count", "bid_count"}
DDL = ", ".join(f"{name} {'double' if name in NUMBERS else 'string'}" for name in COLUMNS)


def contest(ocid: str, losing: float, currency: str = "USD", **more: Any) -> dict[str, Any]:
    """W wins for 1, L asks more."""
    bids = [
        {"status": "valid", "amount": f"{amount}", "currency": currency, "tenderers": [who]}
        for who, amount in (("W", 1), ("L", losing))
    ]
    awards = [{"status": "active", "suppliers": ["W"], "classifications": []}]
    return ROW | {"process_id": ocid, "bid_count": 2.0, "bids": json.dumps(bids), "awards": json.dumps(awards)} | more


def frame(spark: SparkSession, rows: list[dict[str, Any]]) -> DataFrame:
    return spark.createDataFrame([tuple(row[str(name)] for name in COLUMNS) for row in rows], DDL)


def test_it_is_what_cardinal_writes(spark: SparkSession) -> None:
    rows = [contest("F", 2), *(contest(f"{n}", 100) for n in range(1, 5))]
    # Of another currency, cancelled, excluded, too large: nothing of these counts.
    rows += [contest("x", 1.5, "EUR"), contest("c", 1.5, published_status_code="cancelled"),
             contest("e", 1.5, method_details="Lottery"), contest("l", 1.5, bids=None)]  # fmt: skip
    chosen = read_settings("[exclusions]\nprocurement_method_details = Lottery\n[R018]\n[R024]\n[R058]\n[R028]\n")
    outcome = compute(frame(spark, rows), chosen)

    assert export(outcome) == {
        "OCID": {"F": {"R024": 1.0}},
        "Tenderer": {"W": {"R024": 0.0}, "L": {"R024": 0.0}},
        "Meta": {
            "R024": {"q1": 66.3333, "q3": 99.0, "lower_fence": 17.3333},
            "R058": {"q1": 66.3333, "q3": 99.0, "upper_fence": 148.0},
        },
    }
    assert (outcome.processes, outcome.currency) == (9, "USD")
    assert outcome.left_out == {"cancelled": 1, "excluded by the settings": 1, "more bids than a message takes": 1}


@pytest.mark.parametrize(("setting", "flagged"), [("", "a"), ("currency = EUR\n", "b")])
def test_the_first_currency_is_the_main_one_unless_one_is_set(spark: SparkSession, setting: str, flagged: str) -> None:
    rows = frame(spark, [contest("b", 3, "EUR"), contest("a", 2, "USD")])
    outcome = compute(rows, read_settings(f"{setting}[R058]\nthreshold = 0.5\n"))
    assert list(export(outcome)["OCID"]) == [flagged]


def test_a_folder_that_is_not_there_is_told_before_anything_is_computed(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["--collection", "c", "--export", str(tmp_path / "none" / "out.json")])
    assert done.exit_code == 2
    assert f"there is no folder {tmp_path / 'none'}." in done.output


def test_of_nothing_there_is_nothing_but_what_was_looked_for(spark: SparkSession) -> None:
    output = export(compute(frame(spark, []), read_settings("[R024]\n[R036]\n")))
    assert output == {"Meta": {"R024": {"q1": None, "q3": None, "lower_fence": None}}}
