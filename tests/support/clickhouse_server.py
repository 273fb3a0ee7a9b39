"""The local ClickHouse server by itself, as the stack runs it, in a folder and on ports of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conf import LOOPBACK, REPOSITORY, Settings
from infra.local import config_files, parts
from infra.local.parts import Machine, clickhouse
from tests.support.ports import free_ports

PATIENCE = 60


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    settings: Settings
    process: subprocess.Popen[bytes]

    def ask(self, sql: str, user: str = "reader", password: str | None = None, **options: str) -> str:
        """The answer, or ClickHouse's error, whatever the server thinks of the question."""
        return self.look("?" + urllib.parse.urlencode(options), sql, user, password)[1]

    def look(
        self, path: str, sql: str = "", user: str = "", password: str | None = None, method: str | None = None
    ) -> tuple[dict[str, str], str]:
        """The headers and the answer to a request of a page at another address."""
        known = {"reader": self.settings.secrets.clickhouse_reader, "sauda": self.settings.secrets.clickhouse}
        headers = {"Origin": "http://elsewhere.example"}
        if user:
            secret = known.get(user, "") if password is None else password
            headers |= {"X-ClickHouse-User": user, "X-ClickHouse-Key": secret}
        request = urllib.request.Request(
            f"http://{LOOPBACK}:{self.settings.port('clickhouse')}/{path}", sql.encode() or None, headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return dict(answer.headers), answer.read().decode(errors="replace").strip()
        except urllib.error.HTTPError as error:
            with error:
                return dict(error.headers), error.read().decode(errors="replace").strip()


@contextlib.contextmanager
def started(home: Path) -> Iterator[Server]:
    """A server in the folder, which ends with the block."""
    http, tcp = free_ports(2)
    chosen = Settings(home=home, stack="alone", clickhouse_port=http, clickhouse_tcp_port=tcp)
    config_files.write_clickhouse(chosen)
    clickhouse.prepare(Machine(chosen))
    part = clickhouse.PARTS[0].process(Machine(chosen))
    log = chosen.logs / "clickhouse.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            part.command, env=dict(os.environ) | part.env | {"PYTHONPATH": str(REPOSITORY)}, stdout=sink, stderr=sink
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while fault := parts.trouble(chosen, "clickhouse"):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, fault
            time.sleep(0.05)
        yield Server(chosen, process)
    finally:
        process.kill()
        process.wait()
