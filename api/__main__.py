"""``python -m api``: serve the API on loopback until SIGTERM."""

from __future__ import annotations

import gc
import logging

import uvicorn

from api.app import app
from api.http.protocol import Protocol
from conf import LOOPBACK, Settings, settings


def config(chosen: Settings) -> uvicorn.Config:
    """The server's configuration. Its own log is errors only: requests are counted, not written."""
    return uvicorn.Config(
        app(chosen), host=LOOPBACK, port=chosen.port("api"), loop="uvloop", http=Protocol, ws="none", lifespan="on",
        access_log=False, log_config=None, server_header=False, proxy_headers=False, timeout_keep_alive=30,
        timeout_graceful_shutdown=chosen.api_stop_seconds,
    )  # fmt: skip


def main() -> None:
    """Serve; SIGTERM lets requests under way end, and hands Kafka what waits."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # It writes a line for each client that does not speak HTTP.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    chosen = settings()
    Protocol.limits(chosen)
    server = uvicorn.Server(config(chosen))
    # Objects that exist now live until the end: scanning them again and again would delay requests.
    gc.collect()
    gc.freeze()
    server.run()


if __name__ == "__main__":
    main()
