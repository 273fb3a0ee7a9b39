import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from dags.alerts import addressees, sentence, tell

FAILED = {
    "task_instance": SimpleNamespace(dag_id="purchases_nightly", task_id="build", log_url="http://127.0.0.1:8081/log"),
    "run_id": "manual__1",
    "exception": ValueError("first line\nsecond"),
}
SENTENCE = "Sauda: purchases_nightly.build of manual__1 failed: first line http://127.0.0.1:8081/log"


@pytest.fixture
def webhook() -> Iterator[Any]:
    """A server that keeps what it is told; `code` is its answer."""
    heard: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.headers["Content-Type"], json.loads(body)))
            self.send_response(server_facts.code)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        server_facts = SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}/x", heard=heard, code=200)
        yield server_facts
        server.shutdown()
        serving.join()


def test_a_webhook_and_a_chat_are_told_the_same() -> None:
    settings = {"SAUDA_ALERT_WEBHOOK": "https://hooks.example/x", "SAUDA_ALERT_TELEGRAM": "12:ab@-100"}

    assert addressees(settings, "It failed") == [
        ("https://hooks.example/x", {"text": "It failed"}),
        ("https://api.telegram.org/bot12:ab/sendMessage", {"chat_id": "-100", "text": "It failed"}),
    ]
    assert addressees({}, "It failed") == []


@pytest.mark.parametrize(
    ("error", "reported"),
    [(None, "no reason was given"), (ValueError(), "no reason was given"), (ValueError("a\nb"), "a")],
)
def test_it_says_what_failed_and_where_the_log_is(error: Exception | None, reported: str) -> None:
    assert sentence(FAILED | {"exception": error}) == SENTENCE.replace("first line", reported)


def test_the_webhook_hears_it(webhook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAUDA_ALERT_WEBHOOK", webhook.url)
    monkeypatch.delenv("SAUDA_ALERT_TELEGRAM", raising=False)
    tell(FAILED)

    assert webhook.heard == [("application/json", {"text": SENTENCE})]


@pytest.mark.parametrize("url", ["no address", "http://127.0.0.1:1/x", "http://[/x", "http://127.0.0.1/a b", ""])
def test_an_alert_that_cannot_be_sent_is_logged_without_its_address(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    monkeypatch.setenv("SAUDA_ALERT_WEBHOOK", url)
    monkeypatch.delenv("SAUDA_ALERT_TELEGRAM", raising=False)
    with caplog.at_level(logging.ERROR, logger="dags.alerts"):
        tell(FAILED)

    assert [record.getMessage().partition(": ")[0] for record in caplog.records] == (
        ["The alert could not be sent"] if url else []
    )
    assert not url or url not in caplog.text


def test_an_address_that_refuses_is_logged_and_the_others_are_told(
    webhook: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.code = 500
    monkeypatch.setattr("dags.alerts.addressees", lambda *_: [(webhook.url, {"text": "a"}), (webhook.url, {"b": "c"})])
    tell(FAILED)

    assert [body for _, body in webhook.heard] == [{"text": "a"}, {"b": "c"}]
    assert caplog.text.count("HTTPError") == 2
