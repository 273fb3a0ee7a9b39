"""Whether the page lives: it is served, and its figures flow."""

from __future__ import annotations

import http.client
import json
import time

from conf import LOOPBACK, Settings
from infra.local.errors import Failed

SECONDS = 15.0


def alive(settings: Settings) -> str:
    """A remark on its first event. `Failed` where `/` or `/live` does not answer as a browser needs it."""
    began = time.monotonic()
    try:
        _get(settings, "/").close()
        event = _first_event(settings)
        json.loads(event)["at"]
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        raise Failed(f"The page is not alive: {str(error) or type(error).__name__}. See: ./start.sh logs api") from None
    return f"its first event after {time.monotonic() - began:.1f} s"


def _get(settings: Settings, path: str) -> http.client.HTTPResponse:
    """The answer, whose body is not read yet. Raises OSError where it is not 200."""
    connection = http.client.HTTPConnection(LOOPBACK, settings.port("api"), timeout=SECONDS)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
    except BaseException:
        connection.close()
        raise
    if answer.status != 200:
        answer.close()
        raise OSError(f"{path} answers {answer.status}")
    return answer


def _first_event(settings: Settings) -> bytes:
    deadline = time.monotonic() + SECONDS
    with _get(settings, "/live") as answer:
        # Comments, which keep the connection open, are no events.
        while (line := answer.readline()) and time.monotonic() < deadline:
            if line.startswith(b"data: "):
                return line.removeprefix(b"data: ")
    raise OSError("/live ends without an event")
