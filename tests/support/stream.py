"""Start, kill and watch the real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from conf import LOOPBACK, REPOSITORY, Settings
from tests.support.waiting import until


class Stream:
    """The streaming process, with short triggers so that tests need not wait for the lake."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._log = settings.logs / "stream-under-test.log"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(
        self, *, die_after: str = "", lake_batch_events: int = 20_000, live_batch_events: int = 2_000, backlog: int = 0
    ) -> None:
        """Start it if it does not run; `die_after` is a step such as ``lake.silver.purchase_lines:1``."""
        if self.is_running:
            if not die_after:
                return
            self.stop()
        environment = os.environ | {
            "SAUDA_LAKE_TRIGGER_SECONDS": "1",
            "SAUDA_LAKE_BATCH_EVENTS": str(lake_batch_events),
            "SAUDA_LIVE_BATCH_EVENTS": str(live_batch_events),
            "SAUDA_LIVE_BACKLOG_EVENTS": str(backlog),
            "SAUDA_DIE_AFTER": die_after,
        }
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "streaming.run"], cwd=REPOSITORY, env=environment, stdout=log, stderr=log
            )

    def batch_begun(self, lane: str, count: int) -> Path:
        """The file in which Spark notes, before it begins, the batch `count` batches ahead of a lane's last."""
        offsets = Path(self.settings.checkpoints) / lane / "purchases" / "spark" / "offsets"
        last = max((int(f.name) for f in offsets.iterdir() if f.name.isdigit()), default=-1) if offsets.exists() else -1
        return offsets / str(last + 1 + count)

    def wait_ready(self) -> None:
        until("the stream to be ready", lambda: self.progress()["ready"], 300)

    def wait_dead(self, seconds: float = 120) -> None:
        assert self._process is not None
        assert self._process.wait(seconds) == -signal.SIGKILL

    def kill(self) -> None:
        """SIGKILL to Python alone, as a person's `kill -9` would: Spark's Java has to notice by itself."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self.is_running:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()

    def progress(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self.settings.port('metrics')}/progress", timeout=5) as answer:
            return dict(json.load(answer))


class Parts:
    """Kafka, MinIO and ClickHouse of the test stack, under supervisord."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def process(self, part: str) -> psutil.Process:
        """The process that listens on the part's port."""
        port = self.settings.port(part)
        for actual in psutil.net_connections("tcp"):
            if actual.status == psutil.CONN_LISTEN and actual.laddr and actual.laddr.port == port and actual.pid:
                return psutil.Process(actual.pid)
        raise AssertionError(f"nothing listens on port {port} of {part}")

    def kill(self, part: str) -> None:
        """SIGKILL the part, and wait until the supervisor has brought up another."""
        old = self.process(part)
        old.kill()
        until(f"{part} to come back", lambda: self.process(part).pid != old.pid, 60)


def simulate(*options: str, ledger: Path, run_id: str) -> subprocess.Popen[bytes]:
    """Send simulated purchases in a process of its own; each acknowledged event is written to the ledger."""
    command = [sys.executable, "-m", "ingestion.core.run", "purchases.simulate", "--json"]
    given = [*options, "--ledger", str(ledger), "--run-id", run_id]
    return subprocess.Popen([*command, *given], cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
