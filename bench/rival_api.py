"""The rival of the API: the endpoint that one writes first. ``python -m bench.rival_api PORT TOPIC``

FastAPI and confluent-kafka; whatever comes is sent, and answered for when Kafka has acknowledged it. No key, no rule,
no limit, no id.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from conf import LOOPBACK, settings
from conf.connect import kafka_producer, producer_config


def app(topic: str) -> FastAPI:
    """One path."""
    application = FastAPI()
    producer = kafka_producer(producer_config(settings()))
    threading.Thread(target=lambda: [producer.poll(0.1) for _ in iter(int, 1)], daemon=True).start()

    @application.post("/v1/purchases", status_code=202)
    async def send(request: Request) -> JSONResponse:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def heard(error: Any, _: Any) -> None:
            if error:
                loop.call_soon_threadsafe(done.set_exception, RuntimeError(str(error)))
            else:
                loop.call_soon_threadsafe(done.set_result, None)

        producer.produce(topic, await request.body(), on_delivery=heard)
        await done
        return JSONResponse({"accepted": 1}, 202)

    return application


def main(port: str, topic: str) -> None:
    """Serve until it is ended."""
    uvicorn.run(app(topic), host=LOOPBACK, port=int(port), loop="uvloop", http="httptools", access_log=False,
                log_level="error")  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
