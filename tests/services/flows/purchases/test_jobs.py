"""The nights on the real parts: built, pushed, killed in between, compared with the lake and repaired."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conf import REPOSITORY, Settings
from conf.connect import clickhouse
from conf.stream_progress import settle
from schemas.contract import find
from schemas.derive.expectations import suite
from standins.rates import document
from tests.support.commands import run_command
from tests.support.ledger_check import Judge
from tests.support.stream import Stream, simulate
from tests.support.transactions import RIGHT, TOPIC, TransactingShop
from tests.support.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

RATED = (("USD", 1), ("UZS", 100))
RUN = f"jobs{secrets.token_hex(3)}"
SELLERS = "gold.purchases_seller_daily"
FACTS = f"SELECT count(), sum(revenue_amount), groupBitXor(cityHash64(*)) FROM {SELLERS}"


def command(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *words], cwd=REPOSITORY, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def run(*words: str, code: int = 0) -> tuple[dict[str, Any], str]:
    """A command to its end: the JSON it ends with, and what it said on stderr."""
    ended = run_command(*words)
    assert ended.code == code, f"{ended.out}\n{ended.err}"
    lines = ended.out.strip().splitlines()
    return (json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}), ended.err


def reconcile(*options: str, code: int = 0) -> dict[str, Any]:
    """What is told of each table."""
    actual, _ = run("jobs.commands.reconcile", "--json", *options, code=code)
    return {table["table"]: table for table in actual["tables"]} | {"state": actual["state"]}


@pytest.fixture(scope="module")
def client(chosen: Settings) -> Iterator[Any]:
    connection = clickhouse(chosen)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def ledger(stream: Stream, judge: Judge, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Purchases that are whole in silver on both sides."""
    file = tmp_path_factory.mktemp("jobs") / "ledger"
    sent = simulate(
        "--events", "5000", "--seed", "5", "--duplicates", "0.01", "--poison", "0.02", ledger=file, run_id=RUN
    )
    assert sent.wait(120) == 0
    stream.start()
    stream.wait_ready()
    judge.wait_and_judge(RUN, file)
    return file


@pytest.fixture(scope="module")
def shop(ledger: Path, chosen: Settings) -> TransactingShop:
    """One that has taken a purchase back."""
    assert ledger.exists()
    producing_shop = TransactingShop(chosen)
    producing_shop.change_its_mind()
    settle(chosen, [TOPIC], 90, lambda _: None)
    return producing_shop


@pytest.fixture(scope="module")
def rated(ledger: Path, chosen: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Rates of two currencies for the days of the purchases; the others have none."""
    assert ledger.exists()
    today = datetime.now(UTC).date()
    days = [day for n in range(70) if (day := today - timedelta(days=n)).weekday() < 5]
    lines = [f"{day},{code},{document.rate(code, day)},{quantity}" for day in days for code, quantity in RATED]
    file = tmp_path_factory.mktemp("rates") / "rates.csv"
    file.write_text("\n".join(["date,currency,rate,quantity", *lines]))
    assert run("ingestion.core.run", "rates.file", str(file), "--json")[0]["acknowledged"] == len(lines)
    settle(chosen, ["rates"], 90, lambda _: None)
    # What holds as it stands is not sent again.
    again, _ = run("ingestion.core.run", "rates.file", str(file), "--json")
    assert (again["sent"], again["unchanged"]) == (0, len(lines))


@pytest.fixture(scope="module")
def built(ledger: Path, shop: TransactingShop, rated: None) -> dict[str, Any]:  # noqa: ARG001
    """The first night."""
    assert shop.seller
    assert ledger.exists()
    return run("jobs.commands.run", "nightly", "--json")[0]


def facts(client: Any) -> Any:
    return client.query(FACTS).result_rows[0]


def test_all_gold_tables_are_built_and_say_what_silver_says(built: dict[str, Any], client: Any) -> None:
    assert built["state"] == "done"
    assert len(built["tables"]) >= 7
    silver = client.query("SELECT sum(line_amount), count() FROM silver.purchase_lines_latest").result_rows[0]
    subjects = ("seller_daily", "product_daily", "category_daily", "hourly", "products")
    for table in (f"gold.purchases_{subject}" for subject in subjects):
        gold = client.query(f"SELECT sum(revenue_amount), sum(line_count) FROM {table}").result_rows[0]
        assert gold == silver, table
    orders = "SELECT uniqExactIf(event_id, NOT is_return) FROM silver.purchase_lines_latest"
    for table in (SELLERS, "gold.purchases_hourly"):
        counted = f"SELECT sum(order_count) FROM {table}"
        assert client.query(counted).result_rows == client.query(orders).result_rows, table
    for kind in ("day", "week", "month"):
        for seller in ("=", "!="):
            period = f"FROM gold.purchases_seller_periods WHERE period_kind = '{kind}' AND seller_id {seller} ''"
            assert client.query(f"SELECT sum(revenue_amount), sum(line_count) {period}").result_rows[0] == silver
            assert client.query(f"SELECT sum(order_count) {period}").result_rows == client.query(orders).result_rows


def test_the_base_currency_is_the_same_by_the_nights_and_by_clickhouse(built: dict[str, Any], client: Any) -> None:
    assert built
    live = client.query(
        "SELECT sum(line_base_amount), countIf(line_base_amount IS NULL) FROM silver.purchase_lines_in_base"
    ).result_rows[0]
    for subject in ("seller_daily", "product_daily", "category_daily", "hourly", "products"):
        statement = f"SELECT sum(revenue_base_amount), sum(unconverted_line_count) FROM gold.purchases_{subject}"
        assert client.query(statement).result_rows[0] == live, subject
    lacking = client.query("SELECT DISTINCT currency_code FROM gold.unconverted_sales").result_rows
    assert {"RUB", "KGS"} <= {code for (code,) in lacking}
    assert not {"KZT", "USD", "UZS"} & {code for (code,) in lacking}


def test_what_a_producer_took_back_is_not_in_gold(built: dict[str, Any], shop: TransactingShop, client: Any) -> None:
    assert built
    statement = f"SELECT sum(revenue_amount), sum(order_count) FROM {SELLERS} WHERE seller_id = %(seller)s"
    assert client.query(statement, {"seller": shop.seller}).result_rows == [(RIGHT, 2)]


def test_customers_of_a_period_are_counted_over_all_its_days(built: dict[str, Any], client: Any) -> None:
    assert built
    counted = "uniqExactIf(customer_id, NOT is_return AND customer_id IS NOT NULL)"
    by_month = "GROUP BY month_on HAVING n > 0 ORDER BY month_on"
    silver = f"SELECT toStartOfMonth(sold_on) AS month_on, {counted} AS n FROM silver.purchase_lines_latest {by_month}"
    gold = f"SELECT month_on, any(active_customer_count) AS n FROM gold.sales_by_month {by_month}"

    assert client.query(gold).result_rows == client.query(silver).result_rows


def test_top_products_of_the_stream_are_those_of_all_lines(built: dict[str, Any], client: Any) -> None:
    assert built
    rows = client.query(
        "SELECT seller_id, product_id, currency_code, revenue_amount FROM silver.top_products_last_7_days"
    ).result_rows
    since = "(SELECT max(ingested_at) FROM silver.purchase_lines_latest)"
    lines = client.query(
        "SELECT seller_id, product_id, currency_code, sum(line_amount) FROM silver.purchase_lines_latest "
        f"WHERE purchased_at > {since} - INTERVAL 7 DAY AND purchased_at <= {since} GROUP BY ALL"
    ).result_rows

    assert rows
    assert sorted(rows) == sorted(lines)


def test_the_journal_has_a_row_for_each_table(built: dict[str, Any], client: Any) -> None:
    rows = client.query(
        "SELECT contract, state, step, is_pushed, rows_out, delta_version FROM ops.job_runs WHERE run_id = %(run)s",
        {"run": built["run_id"]},
    ).result_rows
    entries = [(t["table"], t["state"], t["step"], True, t["rows"], t["version"]) for t in built["tables"]]
    assert sorted(rows) == sorted(entries)


def test_a_second_run_changes_nothing_that_is_read_and_a_third_beside_it_is_refused(
    built: dict[str, Any], client: Any, chosen: Settings
) -> None:
    before = facts(client)
    second, holder = command("jobs.commands.run", SELLERS, "--json"), chosen.run / "jobs.purchases.lock"
    until("the second to hold the lease", lambda: SELLERS in holder.read_text(), 60, pause=0.01)
    _, refusal = run("jobs.commands.run", "nightly", code=1)
    out, err = second.communicate(timeout=400)

    assert f"The job {SELLERS} (process {second.pid} on " in refusal
    assert second.returncode == 0, err
    assert facts(client) == before
    (again,) = json.loads(out.splitlines()[-1])["tables"]
    first = next(t for t in built["tables"] if t["table"] == SELLERS)
    assert (again["rows"], again["version"]) == (first["rows"], first["version"] + 1)


def test_a_day_is_built_again_alone(built: dict[str, Any], client: Any) -> None:
    assert built
    before = facts(client)
    day = client.query(f"SELECT max(sold_on) FROM {SELLERS}").result_rows[0][0]
    (again,) = run("jobs.commands.run", SELLERS, "--day", str(day), "--json")[0]["tables"]

    assert 0 < again["rows"] < before[0]
    assert facts(client) == before


def push_begins(client: Any, job: subprocess.Popen[str]) -> None:
    """Wait until a job has made its staging table; jobs that are over have had one."""
    until("the push to begin", lambda: staged(client) or job.poll() is not None, 400, pause=0.005)


def staged(client: Any) -> int:
    return int(client.query("SELECT count() FROM system.tables WHERE database = 'staging'").result_rows[0][0])


def test_kill_in_mid_push_leaves_the_old_table_and_the_next_run_cleans_up(built: dict[str, Any], client: Any) -> None:
    assert built
    before = facts(client)
    job = command("jobs.commands.run", SELLERS)
    push_begins(client, job)
    job.kill()
    job.communicate()

    assert facts(client) == before
    run("jobs.commands.run", SELLERS)
    assert facts(client) == before
    assert staged(client) == 0


def test_a_gate_that_fails_keeps_yesterdays_table_and_status_says_which_seen_and_wanted(
    built: dict[str, Any], client: Any, chosen: Settings
) -> None:
    assert built
    table = "gold.purchases_hourly"
    shown = f"SELECT count(), groupBitXor(cityHash64(*)) FROM {table}"
    before = client.query(shown).result_rows
    negative = client.query(f"SELECT countIf(order_count > 0) FROM {table}").result_rows[0][0]
    # It breaks a transform, which must not stay broken in this process.
    ended = run_command("tests.support.failing_gate", table, "--json", separate=True)
    assert ended.code == 3, f"{ended.out}\n{ended.err}"
    parsed = json.loads(ended.out.strip().splitlines()[-1])

    assert client.query(shown).result_rows == before
    (stopped,) = parsed["tables"]
    assert (stopped["state"], stopped["step"], stopped["version"]) == ("stopped", "gates", -1)
    actual = client.query(
        "SELECT check_name, outcome, broken_count, seen_value, wanted_value FROM ops.quality "
        "WHERE run_id = %(run)s AND outcome = 'stopped'",
        {"run": parsed["run_id"]},
    ).result_rows
    assert actual == [("order_count.at_least(0)", "stopped", negative, f"{negative} rows", "0 rows")]
    status = subprocess.run(
        [sys.executable, "-m", "infra.local", "status", "--json"], cwd=REPOSITORY, capture_output=True, check=True
    )
    wanted = (
        f"{table}: order_count must be at least 0 (order_count.at_least(0): seen {negative} rows, wanted 0 rows)"
    )  # fmt: skip
    assert wanted in json.loads(status.stdout)["stopped_checks"]
    page = chosen.data_docs / parsed["run_id"] / f"{table}.html"
    assert f"{negative} rows; wanted 0 rows; for example" in page.read_text(encoding="utf-8")

    run("jobs.commands.run", table)
    assert client.query(shown).result_rows == before
    still = f"SELECT count() FROM ops.latest_checks WHERE outcome = 'stopped' AND table_name = '{table}'"
    assert client.query(still).result_rows == [(0,)]


def test_every_expectation_is_in_the_journal_and_silvers_sample_too(built: dict[str, Any], client: Any) -> None:
    counted = client.query(
        "SELECT table_name, count() FROM ops.quality WHERE run_id = %(run)s GROUP BY table_name",
        {"run": built["run_id"]},
    ).result_rows
    requests = dict(counted)

    # References and the day before are asked for only where they are known.
    always = len([e for e in suite(find(SELLERS)) if not e.needs])
    assert always < requests[SELLERS] <= len(suite(find(SELLERS)))
    assert {t["table"] for t in built["tables"]} <= set(requests)
    # And of silver, whether anything came lately.
    lines = suite(find("silver.purchase_lines"))
    assert requests["silver.purchase_lines"] == len([e for e in lines if not e.needs or e.name == "ingested_at.recent"])
    shares = client.query(
        "SELECT sum(gates_seconds) / sum(seconds) FROM ops.job_runs WHERE run_id = %(run)s", {"run": built["run_id"]}
    ).result_rows
    assert 0 < shares[0][0] < 1


def test_lake_and_clickhouse_agree(built: dict[str, Any]) -> None:
    assert built
    actual = reconcile()

    assert actual["state"] == "equal"
    silver = actual["silver.purchase_lines"]
    assert silver["lake_rows"] == silver["clickhouse_rows"] > 0
    assert Decimal(silver["money"]["line_amount"]["lake"]) == Decimal(silver["money"]["line_amount"]["clickhouse"])
    assert actual["quarantine.purchases"]["lake_rows"] > 0


def test_damage_of_every_kind_is_found_and_repaired_while_events_arrive(
    built: dict[str, Any], ledger: Path, client: Any, judge: Judge, tmp_path: Path
) -> None:
    assert built
    silver = "silver.purchase_lines"
    days = [row[0] for row in client.query(f"SELECT DISTINCT sold_on FROM {silver} ORDER BY 1 LIMIT 5").result_rows]
    lost, changed, invented, outdated, clean = days
    columns = [row[0] for row in client.query(f"DESCRIBE {silver}").result_rows]

    def copy(day: object, **changes: str) -> None:
        """Insert an existing row of a day again, with some columns changed."""
        picked = ", ".join(changes.get(c, c) for c in columns)
        client.command(
            f"INSERT INTO {silver} SELECT {picked} FROM {silver} FINAL WHERE sold_on = toDate32('{day}') LIMIT 1"
        )

    client.command(f"DELETE FROM {silver} WHERE sold_on = toDate32('{lost}')")
    copy(changed, line_amount="line_amount + toDecimal64('0.0001', 4)")
    copy(invented, event_id="concat(event_id, 'x')")
    copy(outdated, quantity="quantity + 1", arrival="arrival + 1")
    client.command(
        "DELETE FROM ops.quarantine WHERE event_id IN "
        "(SELECT event_id FROM ops.quarantine WHERE kafka_topic = 'purchases' LIMIT 3)"
    )
    client.command(f"TRUNCATE TABLE {SELLERS}")

    damaged = reconcile(code=1)
    assert damaged["state"] == "different"
    assert damaged[silver]["differing"] == [str(day) for day in (lost, changed, invented, outdated)]
    assert damaged["quarantine.purchases"]["differing"]
    assert damaged[SELLERS]["differing"] == ["all"]
    assert str(clean) not in damaged[silver]["differing"]

    later = tmp_path / "later"
    sent = simulate("--events", "4000", "--rate", "400", "--seed", "6", ledger=later, run_id=f"{RUN}b")
    repaired = reconcile("--repair")
    assert repaired["state"] == "repaired"
    assert sent.wait(120) == 0
    judge.wait_and_judge(RUN, ledger)
    judge.wait_and_judge(f"{RUN}b", later)
    assert reconcile("--table", silver)["state"] == "equal"


def test_a_table_that_cannot_be_compared_is_refused_with_the_names() -> None:
    _, output = run("jobs.commands.reconcile", "--table", "gold.nothing", code=2)

    assert "No table to compare is called gold.nothing; there are: gold.purchases_basket_daily, " in output
