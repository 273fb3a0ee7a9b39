"""./start.sh as a user without rights, from a folder with blanks and a % in its name, at a low priority.

Each run makes the parts that hold data, and Java's archive of classes, for which Spark is started. The whole of it, to
the demo's answer, takes minutes: ``SAUDA_TEST_WHOLE=1 ./start.sh test -- tests/services/security/test_other_user.py``.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conf import Settings
from infra.local.processes import children, permissions
from tests.support.other_user import Checkout

pytestmark = [
    pytest.mark.services,
    pytest.mark.timeout(1_200),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user"),
]

ASIDE = 300
"""So far are its ports from those of the test stack."""


@pytest.fixture
def checkout(chosen: Settings) -> Iterator[Checkout]:
    # Not below pytest's own folder, which is closed to others.
    with tempfile.TemporaryDirectory(prefix="sauda-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        created = Checkout(chosen, place / "sau da 100%", chosen.port("kafka") - 9_092 + ASIDE)
        yield created
        assert created.start("down", seconds=120, log=place / "down.log").returncode == 0


def run(checkout: Checkout, *words: str, seconds: float = 120, nice: int = 0) -> str:
    done = checkout.start(*words, seconds=seconds, log=checkout.folder.parent / "out.log", nice=nice)
    assert done.returncode == 0, done.stdout[-3000:]
    return str(done.stdout)


def test_it_starts_at_a_low_priority_and_makes_javas_archive(checkout: Checkout) -> None:
    out = run(checkout, "up-parts", "kafka", "minio", "clickhouse", "postgres", "history", seconds=500, nice=15)
    for title in ("Kafka", "MinIO", "ClickHouse", "PostgreSQL", "Spark History Server", "Java's archive of Spark's"):
        assert f"✓ {title}" in out
    assert list((checkout.folder / ".sauda" / "tools" / "jars" / "spark").glob("*.jsa"))
    its = Settings(home=checkout.folder / ".sauda", stack="main")
    running = children.marked(its)
    assert {"kafka", "minio", "clickhouse", "postgres"} <= {part for _, part in running}
    assert {process.uids().real for process, _ in running} == {checkout.user.pw_uid}
    assert permissions.open_paths(its) == []
    assert its.stack_home.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not os.environ.get("SAUDA_TEST_WHOLE"), reason="takes minutes: SAUDA_TEST_WHOLE=1")
def test_the_whole_of_it_comes_to_its_answer(checkout: Checkout) -> None:
    out = run(checkout, "--lite", seconds=1_000)
    assert "s to the answer" in out
    assert "✗" not in out
    rows = run(checkout, "sql", "--format", "CSV", "SELECT count() FROM gold.purchases_seller_daily").strip()
    assert int(rows) > 100
    assert "running" in run(checkout, "status")
