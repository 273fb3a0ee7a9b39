"""The UCI Online Retail file through the whole path: every figure of the file is found again in ClickHouse."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from conf import REPOSITORY, Settings
from conf.connect import clickhouse
from streaming.core.checkpoints import topic_ends
from tests.support.commands import run_command
from tests.support.stream import Stream
from tests.support.waiting import until

FILE = REPOSITORY.parent / "shared" / "data" / "online_retail.csv.gz"
SELLER = "online-retail-uk"

pytestmark = [
    pytest.mark.services,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not in ../shared/data beside the repository"),
]


CASE = REPOSITORY / "tests" / "cases" / "purchases" / "06-reexport-changed-order"


def ingest(file: Path = FILE, *options: str) -> dict[str, Any]:
    """Load a file as a person would; what became of it, as the command says at its end."""
    command = [sys.executable, "-m", "ingestion.core.run", "purchases.file", str(file), "--json", *options]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    outcome = json.loads(ended.stdout.splitlines()[-1])["outcome"]
    assert outcome is not None, ended.stdout
    return dict(outcome)


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


def accepted(path: Path) -> pd.DataFrame:
    """The file's lines whose invoices break no rule: the whole invoice is refused for a sale without a price."""
    names = {"InvoiceNo": "invoice", "StockCode": "product", "InvoiceDate": "at", "CustomerID": "customer"}
    frame = pd.read_csv(path, dtype="string", usecols=[*names, "Quantity", "UnitPrice"]).rename(columns=names)
    frame["quantity"] = frame["Quantity"].astype("int64")
    price = frame["UnitPrice"].map(lambda text: int(Decimal(text).scaleb(4))).astype("int64")
    frame["units"], frame["month"] = frame["quantity"] * price, frame["at"].str[:7]
    refused = frame.loc[(frame["quantity"] > 0) & (price <= 0), "invoice"].unique()
    return frame[~frame["invoice"].isin(refused)]


def pandas_months(lines: pd.DataFrame) -> dict[str, tuple[Any, ...]]:
    """By month: orders, revenue, mean basket (half up) and lower median, customers, and how many ordered twice."""
    actual: dict[str, tuple[Any, ...]] = {}
    for month, rows in lines.groupby("month"):
        sold = rows[rows["quantity"] > 0]
        baskets = sorted(int(units) for units in sold.groupby("invoice")["units"].sum())
        orders = sold.drop_duplicates("invoice").groupby("customer")["invoice"].count()
        mean = (2 * sum(baskets) + len(baskets)) // (2 * len(baskets))
        money = (int(rows["units"].sum()), mean, baskets[(len(baskets) - 1) // 2])
        amounts = (Decimal(units).scaleb(-4) for units in money)
        actual[f"{month}-01"] = (len(baskets), *amounts, len(orders), int((orders >= 2).sum()))
    return actual


@pytest.fixture(scope="module")
def sent(stream: Stream, chosen: Settings) -> None:
    """The file, once through both lanes."""
    stream.start(lake_batch_events=1_000_000, live_batch_events=100_000)
    stream.wait_ready()
    ingest()
    wait_drained(stream, chosen)


@pytest.mark.usefixtures("sent")
def test_months_baskets_customers_and_top_products_are_those_of_pandas(chosen: Settings) -> None:
    night = run_command("jobs.commands.run", "purchases")
    assert night.code == 0, night.out + night.err
    client, lines = clickhouse(chosen, reader=True), accepted(FILE)
    months = client.query(
        "SELECT month_on, order_count, revenue_amount, mean_basket_amount, median_basket_amount, active_customer_count,"
        " round(repeat_rate_pct * active_customer_count / 100) FROM gold.sales_by_seller_month"
        f" WHERE seller_id = '{SELLER}' ORDER BY month_on"
    ).result_rows
    expected = pandas_months(lines)
    assert len(expected) == 13
    assert {str(month): tuple(rest) for month, *rest in months} == expected

    top = client.query(
        f"SELECT product_id, revenue_amount FROM gold.top_products WHERE seller_id = '{SELLER}' ORDER BY place LIMIT 10"
    ).result_rows
    units = lines.groupby("product")["units"].sum().sort_values(ascending=False).head(10)
    assert top == [(product, Decimal(int(total)).scaleb(-4)) for product, total in units.items()]

    (ever,) = client.query(
        "SELECT active_customer_count, repeat_customer_count, known_order_count, returning_order_count, as_of_on"
        f" FROM gold.purchases_repeat_periods WHERE period_kind = 'all' AND seller_id = '{SELLER}'"
    ).result_rows
    orders = lines[lines["quantity"] > 0].drop_duplicates("invoice").groupby("customer")["invoice"].count()
    active, known = len(orders), int(orders.sum())
    assert ever[:4] == (active, int((orders >= 2).sum()), known, known - active)
    newest = client.query("SELECT max(sold_on) FROM gold.purchases_seller_daily").result_rows[0][0]
    assert ever[4] == newest


@pytest.mark.usefixtures("sent")
def test_the_uci_file_arrives_whole_and_sending_it_again_adds_nothing(stream: Stream, chosen: Settings) -> None:
    first = figures(chosen)
    assert first["lines"] == 541_909
    assert round(first["amount"], 2) == Decimal("9747747.93")
    assert first["invoices"] == 25_900
    assert first["customers"] == 4_372
    assert first["quarantined"] == 3_903
    expected = pandas_days(FILE)
    assert len(expected) == 305
    assert first["days"] == expected
    again = ingest()
    assert (again["accepted"], again["corrected"], again["quarantined"], again["known"]) == (0, 0, 0, 25_900)
    wait_drained(stream, chosen)
    assert figures(chosen) == first


@pytest.mark.usefixtures("sent")
def test_a_later_export_and_a_better_mapping_correct_what_was_loaded(chosen: Settings) -> None:
    entries = [
        ingest(CASE / f"orders_{day}.csv", "--mapping", str(CASE / mapping))
        for day, mapping in (("day1", "m1.toml"), ("day2", "m1.toml"), ("day2", "m2_better.toml"))
    ]
    assert [(t["accepted"], t["corrected"], t["known"]) for t in entries] == [(2, 0, 0), (1, 1, 1), (2, 2, 0)]
    held = clickhouse(chosen, reader=True).query(
        "SELECT uniqExact(purchase_id), sum(line_amount) FROM silver.purchase_lines_latest "
        "WHERE seller_id = 'h2-case06'"
    )
    assert held.result_rows == [(2, Decimal(130))]
