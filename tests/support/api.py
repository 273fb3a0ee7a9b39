"""The API as a process of its own, on a database of its own in the stack's PostgreSQL."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from confluent_kafka import OFFSET_END, Consumer, TopicPartition
from pydantic import SecretStr

from conf import LOOPBACK, REPOSITORY, Settings
from conf.connect import consumer_config, postgres
from infra.postgres.upgrade import upgrade
from tests.support.waiting import until


@contextmanager
def database(settings: Settings) -> Iterator[Settings]:
    """Settings with a new database, migrated and empty; it is dropped at the end.

    Another API may relay the outbox of the stack's own database: nobody else looks at this one.
    """
    name = f"api_{secrets.token_hex(4)}"
    with postgres(settings, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    parts = urlsplit(settings.postgres)
    chosen = settings.model_copy(update={"postgres_url": SecretStr(parts._replace(path=f"/{name}").geturl())})
    try:
        upgrade(chosen)
        yield chosen
    finally:
        with postgres(settings, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def sellers(settings: Settings, *names: str) -> None:
    """Make these sellers, where they are not."""
    with postgres(settings, autocommit=True) as connection:
        for name in names:
            connection.execute(
                "INSERT INTO shop.sellers (seller_id, name) VALUES (%s, %s) ON CONFLICT DO NOTHING", (name, name)
            )


@contextmanager
def away(settings: Settings, chosen: Settings) -> Iterator[None]:
    """The database of `chosen` takes nobody in, and throws out who is there."""
    name = urlsplit(chosen.postgres).path[1:]
    with postgres(settings, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


class Api:
    """The process, and a client with the demo's key."""

    def __init__(self, settings: Settings, **given: Any) -> None:
        with closing(socket.create_server((LOOPBACK, 0))) as free:
            port = free.getsockname()[1]
        self.settings = settings
        self.url = f"http://{LOOPBACK}:{port}"
        self.environment = os.environ | settings.environment() | {"SAUDA_API_PORT": str(port)} | given
        self.log: Path = settings.logs / "api-under-test.log"
        self.http = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {settings.secrets.api_key}"}, timeout=30
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it takes the demo's key."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api"], cwd=REPOSITORY, env=self.environment, stdout=log, stderr=log
            )
        until("the API to take its key", lambda: self.http.get("/v1/sellers").status_code == 200, 60, pause=0.1)

    def kill(self) -> None:
        """As `kill -9` does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """As the supervisor does; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(40)

    def end(self) -> None:
        self.http.close()
        if self.process is not None and self.process.poll() is None:
            self.kill()


# Ids of an earlier session on the same stack would be taken for copies.
SESSION = secrets.token_hex(3)


def purchase(number: int, **changed: Any) -> dict[str, Any]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = {"product_id": "p1", "quantity": 2, "unit_price": "12.3456"}
    return {"purchase_id": f"{SESSION}-{number}", "purchased_at": now, "seller_id": "s1", "currency_code": "KZT",
            "lines": [line]} | changed  # fmt: skip


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 202, answer.text
    return [event["event_id"] for event in answer.json()["events"]]


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    actual: dict[str, Any] = answer.json()
    return actual


class Topic:
    """What comes into a topic from now on."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.consumer = Consumer(consumer_config(settings, secrets.token_hex(8)))
        there = self.consumer.list_topics(name, timeout=10).topics[name].partitions
        places = [TopicPartition(name, p, OFFSET_END) for p in there]
        ends = [self.consumer.get_watermark_offsets(place, timeout=10)[1] for place in places]
        self.consumer.assign([TopicPartition(name, p, end) for p, end in zip(there, ends, strict=True)])
        self.seen: list[Any] = []

    def read(self) -> list[Any]:
        """Everything so far, in the order of arrival."""
        while (record := self.consumer.poll(0.5)) is not None:
            assert record.error() is None, record.error()
            self.seen.append(record)
        return self.seen

    def ids(self) -> list[str]:
        return [dict(record.headers())["ce_id"].decode() for record in self.read()]

    def close(self) -> None:
        self.consumer.close()
