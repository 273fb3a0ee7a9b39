"""The UCI Online Retail file through the whole path: every figure of the file is found again in ClickHouse."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from conf import REPOSITORY, Settings
from conf.connect import clickhouse
from streaming.checkpoints import topic_ends
from tests.support.stream import Stream
from tests.support.waiting import until

FILE = REPOSITORY.parent / "shared" / "data" / "online_retail.csv.gz"
SELLER = "online-retail-uk"

pytestmark = [
    pytest.mark.services,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not in ../shared/data beside the repository"),
]


def ingest() -> None:
    command = [sys.executable, "-m", "ingestion.run", "purchases.file", str(FILE)]
    assert subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=False).returncode == 0


def wait_drained(stream: Stream, settings: Settings) -> None:
    """Until both lanes have committed everything that the topic holds."""

    def drained() -> bool:
        _, ends = topic_ends(settings, "purchases")
        queries = [q for name, q in stream.progress()["queries"].items() if name.endswith(":purchases")]
        return all(query["next_offsets"] == ends for query in queries)

    until("both lanes to reach the end of the topic", drained, 240)


def figures(settings: Settings) -> dict[str, Any]:
    """What a person would ask for; the file's lines are known by its seller, accepted or quarantined."""
    client = clickhouse(settings, reader=True)
    lines = f"silver.purchases_accounted WHERE seller_id = '{SELLER}'"
    (row,) = client.query(
        "SELECT count() AS lines, sum(amount) AS amount, uniqExact(purchase_id) AS invoices, "
        "uniqExactIf(customer_id, customer_id != '') AS customers, "
        f"countIf(status = 'quarantined') AS quarantined FROM {lines}"
    ).named_results()
    days = client.query(f"SELECT sold_on, sum(amount) FROM {lines} GROUP BY sold_on ORDER BY sold_on").result_rows
    lake = client.query("SELECT count() FROM silver.purchase_lines FINAL").result_rows[0][0]
    return {**row, "days": {str(day): Decimal(amount) for day, amount in days}, "silver_lines": lake}


def pandas_days(path: Path) -> dict[str, Decimal]:
    """Revenue by day by nothing but pandas, in whole ten-thousandths so that the sum is exact."""
    frame = pd.read_csv(
        path, dtype={"UnitPrice": "string", "Quantity": "int64"}, usecols=["Quantity", "InvoiceDate", "UnitPrice"]
    )
    price = frame["UnitPrice"].map(lambda text: int(Decimal(text).scaleb(4))).astype("int64")
    units = (frame["Quantity"] * price).groupby(frame["InvoiceDate"].str[:10]).sum()
    return {str(day): Decimal(int(total)).scaleb(-4) for day, total in units.items()}


def test_the_uci_file_arrives_whole_and_sending_it_again_adds_nothing(stream: Stream, chosen: Settings) -> None:
    stream.start(lake_batch_events=1_000_000, live_batch_events=100_000)
    stream.wait_ready()
    ingest()
    wait_drained(stream, chosen)
    first = figures(chosen)
    assert first["lines"] == 541_909
    assert round(first["amount"], 2) == Decimal("9747747.93")
    assert first["invoices"] == 25_900
    assert first["customers"] == 4_372
    assert first["quarantined"] == 3_903
    expected = pandas_days(FILE)
    assert len(expected) == 305
    assert first["days"] == expected
    ingest()
    wait_drained(stream, chosen)
    assert figures(chosen) == first
