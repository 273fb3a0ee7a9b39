"""The API as a process of its own, on the test stack's port."""

from __future__ import annotations

import subprocess
import sys
import urllib.request

from conf import LOOPBACK, REPOSITORY, Settings
from tests.support.waiting import until


class Api:
    """Start, stop and kill it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.url = f"http://localhost:{settings.port('api')}/"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it if it does not run, and wait until it answers."""
        if self._process is None or self._process.poll() is not None:
            log = self.settings.logs / "api-under-test.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as out:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "api"], cwd=REPOSITORY, stdout=out, stderr=out
                )  # fmt: skip
        until("the API to answer", self.lives, 60)

    def lives(self) -> bool:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self.settings.port('api')}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self, seconds: float = 30) -> float:
        """Ask it to end; returns its seconds until it had."""
        import time

        began = time.monotonic()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(seconds)
        return time.monotonic() - began
