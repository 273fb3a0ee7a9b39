"""ClickHouse is killed while a job publishes a table: the job says so, and readers keep the table that they had."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conf import REPOSITORY, Settings
from conf.connect import clickhouse
from tests.support.commands import run_command
from tests.support.ledger_check import Judge
from tests.support.stream import Parts, Stream, simulate
from tests.support.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

SELLERS = "gold.purchases_seller_daily"
FACTS = f"SELECT count(), sum(revenue_amount), groupBitXor(cityHash64(*)) FROM {SELLERS}"
STAGED = "SELECT count() FROM system.tables WHERE database = 'staging'"


@pytest.fixture
def client(chosen: Settings) -> Iterator[Any]:
    connection = clickhouse(chosen)
    yield connection
    connection.close()


def test_a_clickhouse_that_dies_in_mid_run_fails_the_job_and_no_table(
    stream: Stream, judge: Judge, client: Any, parts: Parts, tmp_path: Path
) -> None:
    run_id, ledger = f"job{secrets.token_hex(3)}", tmp_path / "ledger"
    assert simulate("--events", "1000", "--seed", "15", ledger=ledger, run_id=run_id).wait(120) == 0
    stream.start()
    stream.wait_ready()
    judge.wait_and_judge(run_id, ledger)
    built = run_command("jobs.commands.run", SELLERS)
    assert built.code == 0, built.out + built.err
    before = client.query(FACTS).result_rows

    job = subprocess.Popen(
        [sys.executable, "-m", "jobs.commands.run", SELLERS],
        cwd=REPOSITORY, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    # A job that is over has had its staging table.
    until(
        "the push to begin", lambda: client.query(STAGED).result_rows[0][0] or job.poll() is not None, 400, pause=0.005
    )
    parts.kill("clickhouse")
    out, err = job.communicate(timeout=400)

    # It may have been over before the kill; if not, the failure is a sentence.
    assert job.returncode == 0 or f"✗ {SELLERS}: " in out, err
    until("ClickHouse to show what it showed", lambda: client.query(FACTS).result_rows == before, 60)
