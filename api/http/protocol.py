"""HTTP/1.1 with limits that uvicorn does not have: for a request's head, and for clients that do not read."""

from __future__ import annotations

import asyncio
import math

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.problems import MEDIA, Problem
from conf import Settings

ENDLESS = "sauda.endless"
"""Key in the scope of a request whose answer has no end of its own."""
WHOLE = "sauda.whole"
"""Key in the scope of a request whose body is complete: it needs no deadline any more."""

LEAST_BYTES = 10_000
"""Bytes of an answer that the client must read between two checks, unless it reads all of it."""


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with a deadline for heads and one for answers.

    uvicorn waits for ever for the first byte and for the end of a head, and keeps all headers: a client that sends
    slowly, or without end, would hold a connection or memory. So would a client that does not read its answers: even a
    closed transport waits until they are read.
    """

    header_seconds, header_bytes, max_connections = 10.0, 32_000, 1_000
    answer_seconds = 20.0

    @classmethod
    def limits(cls, settings: Settings) -> None:
        """Take the limits from the settings; they hold for the process."""
        cls.header_seconds, cls.header_bytes = settings.api_header_seconds, settings.api_header_bytes
        cls.max_connections, cls.answer_seconds = settings.api_connections, settings.api_answer_seconds

    _watch: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_head = True
    _unsent_watch: asyncio.TimerHandle | None = None
    _unsent_bytes = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self._end(503, "busy", "Too many connections are open. Try again in a second.")
        else:
            self._begin_watch()

    def _begin_watch(self) -> None:
        if self._watch is None:
            self._watch = self.loop.call_later(self.header_seconds, self._end, 408, "slow", "The head took too long.")

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        # A head that is complete has reset the count, so that what is counted here is a head still open.
        if not (self._in_head and self._head_bytes):
            return
        self._begin_watch()
        if self._head_bytes > self.header_bytes:
            self._end(431, "head", f"The head of the request has more than {self.header_bytes:,} bytes.")

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        self._end_watch()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._end_watch()
        self.scope[WHOLE] = True  # type: ignore[literal-required]
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._in_head:
            # The rest of a body that nobody reads: the client may end it, so that it sees the answer, but not for ever.
            self._begin_watch()
        self._unsent_bytes = math.inf
        self._watch_unsent()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_unsent()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unsent_bytes = math.inf

    def _watch_unsent(self) -> None:
        if self._unsent_watch is None and self.transport.get_write_buffer_size():
            self._unsent_watch = self.loop.call_later(self.answer_seconds, self._look_at_unsent)
            self._unsent_bytes = self.transport.get_write_buffer_size()

    def _look_at_unsent(self) -> None:
        """Close the connection of a client that has read next to nothing. An answer without end writes no more than the
        buffer holds."""
        self._unsent_watch = None
        cycle, left = self.cycle, self.transport.get_write_buffer_size()
        is_endless = cycle is not None and not cycle.response_complete and cycle.scope.get(ENDLESS)
        if left > self._unsent_bytes - LEAST_BYTES and not is_endless:
            self.transport.abort()
        else:
            self._watch_unsent()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_watch()
        if self._unsent_watch is not None:
            self._unsent_watch.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server stops: answers under way are waited for, unless they have no end."""
        if self.cycle is not None and self.cycle.scope.get(ENDLESS):
            self.transport.close()
        super().shutdown()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        self._end(400, "http", "The request is not HTTP/1.1.")

    def _end(self, status: int, kind: str, detail: str) -> None:
        self._end_watch()
        if self.transport.is_closing():
            return
        # While an answer is under way on this connection, a second one would be taken for a part of it.
        if self.cycle is None or self.cycle.response_complete:
            body = orjson.dumps(Problem(status, kind, detail).document())
            head = f"HTTP/1.1 {status} Refused\r\ncontent-type: {MEDIA}\r\ncontent-length: {len(body)}\r\n"
            self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.close()
        self._watch_unsent()
