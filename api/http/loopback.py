"""Paths without a key: they answer requests from this machine only."""

from __future__ import annotations

from fastapi import Request

from api.http.problems import Problem

LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "[::1]"}
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def require_loopback(request: Request) -> None:
    """Raises a Problem (403) for a request from elsewhere.

    The API listens on loopback; a foreign Host is a name made to point here (DNS rebinding) or a proxy.
    """
    host = request.headers.get("host", "")
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    if name not in LOOPBACK_HOSTS or any(header in request.headers for header in FORWARDED):
        raise Problem(
            403, "not-here",
            "The page asks for no key, so it is served on the machine itself only, as localhost or 127.0.0.1. "
            "From elsewhere, use an SSH tunnel, or the API with a key.",
        )  # fmt: skip
