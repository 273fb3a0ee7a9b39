"""Problem documents (RFC 9457): every error that the API answers is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

MEDIA = "application/problem+json"
# Titles of our own where the status says too little.
TITLES = {
    413: "The body is too large",
    415: "The body must be JSON",
    421: "Unknown host name",
    422: "The content breaks a rule",
    429: "Too many requests",
    500: "Internal error",
}
RETRY_SECONDS = 5
FULL_SECONDS = 30


class Problem(Exception):
    """What went wrong, as one sentence; `errors` are the single findings with pointer, rule and detail.

    `more` are members of its own kind that the document has.
    """

    def __init__(
        self, status: int, kind: str, detail: str, *, errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None, instance: str = "", more: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(detail)
        self.more = dict(more or {})
        self.status, self.kind, self.detail = status, kind, detail
        self.errors, self.headers, self.instance = errors, dict(headers or {}), instance

    def document(self) -> dict[str, Any]:
        """The document that is answered."""
        members: dict[str, Any] = {
            "type": f"urn:sauda:problem:{self.kind}",
            "title": TITLES.get(self.status, HTTPStatus(self.status).phrase),
            "status": self.status,
            "detail": self.detail,
        }
        if self.instance:
            members["instance"] = self.instance
        if self.errors:
            members["errors"] = list(self.errors)
        return members | self.more

    def response(self) -> Response:
        return Response(orjson.dumps(self.document()), self.status, self.headers, MEDIA)


def unavailable(part: str, seconds: int = RETRY_SECONDS) -> Problem:
    """503 with Retry-After: a backend that is needed does not answer."""
    return Problem(
        503, "unavailable", f"{part} does not answer now. Try again in {seconds} seconds.",
        headers={"Retry-After": str(seconds)},
    )  # fmt: skip


def full() -> Problem:
    """507 with Retry-After: the disk has too little space. Where the disk is, is not for clients."""
    return Problem(
        507, "full", "There is too little disk space here to take more. What was answered before is safe; "
        f"try again in {FULL_SECONDS} seconds.", headers={"Retry-After": str(FULL_SECONDS)},
    )  # fmt: skip


def not_found(what: str) -> Problem:
    return Problem(404, "not-found", f"There is no {what}.")


def too_large(max_bytes: int) -> Problem:
    return Problem(413, "too-large", f"The body has more than {max_bytes:,} bytes. Send less at a time.")


def invalid(errors: Sequence[Mapping[str, Any]], *, more: int = 0) -> Problem:
    """422 with the errors; `more` is how many were left out."""
    first = str(errors[0]["detail"])
    rest = len(errors) + more - 1
    detail = first if not rest else f"{first} (and {rest} more)"
    return Problem(422, "invalid", detail, errors=errors)


def parameter(name: str, detail: str) -> Problem:
    """422 for a parameter of the query or the path."""
    return invalid([{"parameter": name, "rule": f"{name}.parameter", "detail": detail}])
