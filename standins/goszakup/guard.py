"""Who may ask, and how often: the token and the limit, with the service's own error envelopes."""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass, field

import orjson
from starlette.requests import Request
from starlette.responses import Response

from conf.token_bucket import TokenBucket

NAMES = {
    400: ("Bad Request", "yii\\web\\BadRequestHttpException"),
    401: ("Unauthorized", "yii\\web\\UnauthorizedHttpException"),
    403: ("Forbidden", "yii\\web\\ForbiddenHttpException"),
    404: ("Not Found", "yii\\web\\NotFoundHttpException"),
    405: ("Method Not Allowed", "yii\\web\\MethodNotAllowedHttpException"),
    409: ("Conflict", "yii\\web\\ConflictHttpException"),
    429: ("Too Many Requests", "yii\\web\\TooManyRequestsHttpException"),
    500: ("Internal Server Error", "yii\\web\\ServerErrorHttpException"),
}


def error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """The error envelope of the service."""
    name, kind = NAMES[status]
    envelope = {"name": name, "message": message, "code": 0, "status": status, "type": kind}
    return Response(orjson.dumps(envelope), status, headers, "application/json")


@dataclass
class Guard:
    """`rate` is requests a second over all paths, None for no limit; a second's worth may come at once."""

    token: str
    rate: float | None = None
    expired: bool = False
    _bucket: TokenBucket = field(default_factory=lambda: TokenBucket(0.0, -1e9), init=False)

    def refused(self, request: Request, limited: bool = True) -> Response | None:
        """The answer to who may not ask now; None to who may."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given.strip():
            return error(401, "Не указан токен доступа")
        if not hmac.compare_digest(given.strip().encode(), self.token.encode()):
            return error(403, "Токен доступа не найден")
        if self.expired and limited:
            return error(401, "Срок действия токена истек")
        if limited and self.rate is not None and not self._take(self.rate):
            return error(429, "Превышено количество запросов", {"Retry-After": "1"})
        return None

    def _take(self, rate: float) -> bool:
        return not self._bucket.take(time.monotonic(), rate, max(1.0, rate))
