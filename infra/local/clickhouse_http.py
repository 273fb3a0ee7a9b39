"""ClickHouse over plain HTTP: for queries of people, whose format and errors are handed on as they are."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from conf import Settings
from infra.local.errors import Failed


class QueryFailed(Failed):
    """ClickHouse refused the query; the message is its own sentence."""


def query(
    settings: Settings, sql: str, user: str, password: str, options: Mapping[str, str]
) -> tuple[str, Iterator[bytes]]:
    """Send a query; returns the format of the answer and its chunks. `options` are query settings and parameters."""
    host, port = settings.clickhouse
    connection = http.client.HTTPConnection(host, port, timeout=660)
    headers = {"X-ClickHouse-User": user, "X-ClickHouse-Key": password, "Content-Type": "text/plain; charset=utf-8"}
    try:
        connection.request("POST", "/?" + urlencode(options), sql.encode(), headers)
        answer = connection.getresponse()
    except OSError as error:
        connection.close()
        raise Failed(
            f"ClickHouse does not answer on {host}:{port} ({error.strerror or error}). Start it: ./start.sh"
        ) from None
    if answer.status != 200:
        sentence = answer.read().decode(errors="replace").strip()
        connection.close()
        raise QueryFailed(sentence.split(" (version ")[0])

    def chunks() -> Iterator[bytes]:
        try:
            while chunk := answer.read(1 << 16):
                yield chunk
        finally:
            connection.close()

    return answer.headers.get("X-ClickHouse-Format") or "", chunks()


def rows(settings: Settings, sql: str) -> list[list[str]]:
    """The rows of a small answer, as text, asked by the application's user."""
    options = {"default_format": "TSV"}
    _, chunks = query(settings, sql, settings.clickhouse_user, settings.clickhouse_secret, options)
    text = b"".join(chunks).decode()
    return [line.split("\t") for line in text.splitlines()]
