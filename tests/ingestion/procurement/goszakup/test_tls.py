"""The service's certificate: an own authority is trusted where its bundle is named, and a stranger never."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from ingestion.collecting.client import Answer, NoAnswer, RequestCounts
from ingestion.procurement.goszakup.pages import read_page
from ingestion.procurement.goszakup.service import goszakup_client
from tests.ingestion.procurement.goszakup.fakes import FakeTime, chosen

PAGE = b'{"items":[{"id":1}],"next_page":""}'


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority of its own, ca.pem, and a server's certificate that it signed, for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("ca", "server"):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{folder}/{name}.key")
    openssl(
        "req", "-x509", "-key", f"{folder}/ca.key", "-subj", "/CN=An authority of tests", "-days", "2",
        "-addext", "keyUsage=critical,keyCertSign", "-out", f"{folder}/ca.pem",
    )  # fmt: skip
    openssl("req", "-new", "-key", f"{folder}/server.key", "-subj", "/CN=127.0.0.1", "-out", f"{folder}/server.csr")
    names = folder / "names"
    names.write_text("subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n")
    openssl(
        "x509", "-req", "-in", f"{folder}/server.csr", "-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key",
        "-days", "2", "-extfile", str(names), "-out", f"{folder}/server.pem",
    )  # fmt: skip
    return folder


@contextmanager
def serving(authority: Path) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(HTTPServer):
        def handle_error(self, *_: Any) -> None:
            """A client that does not trust us hangs up."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(folder: Path, url: str, bundle: Path | None) -> tuple[Answer, RequestCounts]:
    counts, time = RequestCounts(), FakeTime()

    async def once() -> Answer:
        settings = chosen(folder, url, goszakup_ca_bundle=bundle)
        async with goszakup_client(settings, sleep=time.sleep, clock=time) as client:
            return await client.get("/v3/lots", read_page, counts)

    return asyncio.run(once()), counts


def test_a_service_with_an_authority_of_its_own_is_trusted_by_its_bundle(authority: Path, tmp_path: Path) -> None:
    with serving(authority) as url:
        answer, counts = ask(tmp_path, url, authority / "ca.pem")
    assert (len(answer.read.items), counts.retries) == (1, 0)


def test_a_stranger_is_refused_at_once_and_the_setting_is_named(authority: Path, tmp_path: Path) -> None:
    with serving(authority) as url, pytest.raises(NoAnswer) as refused:
        ask(tmp_path, url, None)
    assert f"{url} shows a certificate that is not trusted" in str(refused.value)
    assert "Name the bundle that has its authority as SAUDA_GOSZAKUP_CA_BUNDLE." in str(refused.value)
