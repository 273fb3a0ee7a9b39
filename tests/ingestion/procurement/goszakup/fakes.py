"""A scripted goszakup on a loopback port, and a Kafka that acknowledges when it is polled."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from confluent_kafka import KafkaError

from conf.domains.procurement import ProcurementSettings
from ingestion.core.message import Headers
from ingestion.core.publish import Delivered
from schemas.procurement import TOPIC

TOKEN = "a-token-of-tests"


@dataclass
class Reply:
    """What is answered in place of the truth. `claims` is the length that the header says, where it lies."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    claims: int | None = None


@dataclass
class Register:
    """Rows as bytes by their key, in the order in which they are shown."""

    rows: list[tuple[str, bytes]]
    next_path: str = ""


Answers = Callable[[str], Reply | None]


class FakeTime:
    """A clock that only sleep moves on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.seconds: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class FakeGoszakup:
    """`registers` are lists by path, `objects` answers by path, `faults` replies that come first, one a request.

    `always` are replies that come whenever a path is asked for.
    """

    def __init__(self) -> None:
        self.registers: dict[str, Register] = {}
        self.objects: dict[str, bytes] = {}
        self.faults: dict[str, deque[Reply]] = defaultdict(deque)
        self.always: dict[str, Reply] = {}
        self.requests: list[str] = []
        self.posted: list[dict[str, Any]] = []
        self.token = TOKEN
        self.url = ""

    def put(self, path: str, rows: list[dict[str, Any]], key: str = "id", next_path: str = "") -> None:
        """A register with these rows, written as no Python library would write them."""
        written = [(str(row[key]), json.dumps(row, separators=(" ,  ", ": "), ensure_ascii=False)) for row in rows]
        self.registers[path] = Register([(name, text.encode()) for name, text in written], next_path)

    def paths(self, start: str = "") -> list[str]:
        """The paths that were asked for, without their queries."""
        return [urlsplit(requests).path for requests in self.requests if requests.startswith(start)]

    def answer(self, address: str, token: str) -> Reply:
        path = urlsplit(address).path
        self.requests.append(address)
        if token != f"Bearer {self.token}":
            return _error(403, "Доступ запрещен")
        if self.faults[path]:
            return self.faults[path].popleft()
        if path in self.always:
            return self.always[path]
        if path in self.registers:
            return Reply(200, self._page(path, urlsplit(address).query))
        if path in self.objects:
            return Reply(200, self.objects[path])
        return _error(404, "Не найдено")

    def _page(self, path: str, query: str) -> bytes:
        requests = {name: values[0] for name, values in parse_qs(query).items()}
        limit = int(requests.get("limit", 50))
        register = self.registers[path]
        rows = register.rows
        after = requests.get("search_after", "")
        if after.isdecimal() and rows and rows[0][0].isdecimal() and int(rows[0][0]) >= int(rows[-1][0]):
            rows = [row for row in rows if int(row[0]) < int(after)]
        elif after:
            keys = [key for key, _ in rows]
            rows = rows[keys.index(after) + 1 :]
        shown, more = rows[:limit], len(rows) > limit
        where = register.next_path or path
        next_page = f"{where}?page=next&search_after={shown[-1][0]}" if more else ""
        items = b", ".join(raw for _, raw in shown)
        head = json.dumps({"total": len(register.rows), "limit": limit, "next_page": next_page})
        return head[:-1].encode() + b', "items": [' + items + b"]}"


def _error(status: int, message: str) -> Reply:
    content = {"name": "Error", "message": message, "code": 0, "status": status, "type": "yii\\web\\HttpException"}
    return Reply(status, json.dumps(content).encode())


@contextmanager
def serving(fake: FakeGoszakup) -> Iterator[FakeGoszakup]:
    """The fake behind a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._reply(fake.answer(self.path, self.headers.get("Authorization", "")))

        def do_POST(self) -> None:
            fake.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._reply(fake.answer(self.path, self.headers.get("Authorization", "")))

        def _reply(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) if reply.claims is None else reply.claims))
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = reply.claims is not None

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Kept:
    """A record that Kafka has."""

    key: bytes
    value: bytes
    content: Headers

    @property
    def heads(self) -> dict[str, str]:
        return {name: value.decode() for name, value in self.content}

    @property
    def type(self) -> str:
        return self.heads["ce_type"]

    def headers(self) -> Headers:
        return self.content

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 0


class Killed(Exception):
    """The process is gone."""


@dataclass
class FakeKafka:
    """Acknowledges in poll and flush. After `dies_after` records `produce` raises Killed, as kill -9 would end it.

    `fails_after` records, deliveries fail with `error`.
    """

    room: int = 100_000
    dies_after: int = 10**9
    fails_after: int = 10**9
    error: int = KafkaError._MSG_TIMED_OUT
    kept: list[Kept] = field(default_factory=list)
    waiting: deque[tuple[Kept, Delivered]] = field(default_factory=deque)
    most_waiting: int = 0
    is_deaf: bool = False

    def produce(self, topic: str, value: bytes | None, key: bytes, *, headers: Headers, on_delivery: Delivered) -> None:
        assert topic == TOPIC
        if len(self.kept) + len(self.waiting) >= self.dies_after:
            raise Killed
        if len(self.waiting) >= self.room:
            raise BufferError("queue full")
        self.waiting.append((Kept(key, value or b"", headers), on_delivery))
        self.most_waiting = max(self.most_waiting, len(self.waiting))

    def poll(self, timeout: float) -> int:  # noqa: ARG002
        if self.is_deaf:
            return 0
        sentences = len(self.waiting)
        while self.waiting:
            record, on_delivery = self.waiting.popleft()
            if len(self.kept) >= self.fails_after:
                on_delivery(KafkaError(self.error, "Local: Message timed out"), record)
                continue
            self.kept.append(record)
            on_delivery(None, record)
        return sentences

    def flush(self, timeout: float) -> int:
        return self.poll(timeout)

    def purge(self) -> None:
        self.waiting.clear()

    def of(self, event: str) -> list[Kept]:
        return [record for record in self.kept if record.type == f"kz.goszakup.{event}"]


def chosen(folder: Path, url: str, **more: Any) -> ProcurementSettings:
    """Settings for a run against the fake: as quick as it can be."""
    quick = {"goszakup_requests_per_second": 10_000, "goszakup_page_limit": 10, "goszakup_token": TOKEN}
    return ProcurementSettings(home=folder, goszakup_url=url, **(quick | more))


def rows(newest: int, count: int, **more: Any) -> list[dict[str, Any]]:
    """Rows with falling ids."""
    return [{"id": number, "name_ru": f"строка {number}"} | more for number in range(newest, newest - count, -1)]
