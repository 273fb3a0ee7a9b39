"""The page on documents of a test's own: its files and a stream of them, without an API or any part."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from api.live import routes
from api.live.document import Reading, document
from api.web.pages import WEB, Site
from api.web.routes import POLICY
from conf import LOOPBACK
from tests.support.page_server import busy, flowing, part, refused

Document = dict[str, Any]
PAUSE_SECONDS = 0.1


def whole_document() -> Document:
    """A whole document, of a busy hour; a test changes what it is about."""
    parts = [part("clickhouse", "ClickHouse"), part("stream", "Stream")]
    now = time.time()
    readings = {
        "sales": Reading(busy(), None, now),
        "refused": Reading(refused(), None, now),
        "flow": Reading(flowing(), None, now),
        "parts": Reading(parts, None, now),
    }
    parsed: Document = json.loads(json.dumps(document(now, readings, routes.figures())))
    return parsed


class Canned:
    """Serves the pages of a folder on a free port of loopback. `told` is what the stream says, again and again."""

    def __init__(self, reported: Document | None = None, web: Path = WEB) -> None:
        self.document: Document | str = reported if reported is not None else whole_document()
        self._server = ThreadingHTTPServer((LOOPBACK, 0), _handler(Site(web), lambda: self.document))
        self._server.daemon_threads = True
        self.url = f"http://localhost:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(site: Site, reported: Callable[[], Document | str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/live":
                return self._stream()
            name = self.path.removeprefix("/web/")
            actual = site.by_path.get(self.path) or site.assets.get(name)
            self.send_response(200 if actual else 404)
            self.send_header("Content-Type", f"{actual.media if actual else 'text/plain'}; charset=utf-8")
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(actual.body if actual else b"")
            return None

        def _stream(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            try:
                while True:
                    now = reported()
                    self.wfile.write(f"data: {now if isinstance(now, str) else json.dumps(now)}\n\n".encode())
                    time.sleep(PAUSE_SECONDS)
            except OSError:
                return

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is told of requests."""

    return Handler
