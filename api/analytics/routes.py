"""A path for each question of each domain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.analytics.question import Question
from api.backends.backends import backends_of
from api.http.access import Reader
from api.http.examples import table_row
from api.http.openapi import column_schema, described, listed
from api.http.parameters import in_order
from api.registry import domains

ROUTER = APIRouter(tags=["analytics"])


def _endpoint(question: Question) -> Callable[..., Awaitable[Response]]:
    parameters = question.parameters

    async def answer(request: Request, _: Reader) -> Response:
        given = parameters.read(request)
        in_order(given)
        rows = await backends_of(request).warehouse.rows(question.sql(given), given)
        return Response(orjson.dumps({"items": rows}), media_type="application/json")

    return answer


def _add(question: Question) -> None:
    columns = question.columns()
    names = [c.name for c in columns]
    name = question.operation or question.name.replace("/", "_").replace("-", "_")
    kind = "".join(word.capitalize() for word in name.split("_"))
    item = {
        "title": f"{kind}Row", "type": "object", "required": names,
        "properties": {c.name: column_schema(c, answered=True) for c in columns},
    }  # fmt: skip
    example = dict.fromkeys(names) | table_row(question.table, names)
    ROUTER.add_api_route(
        f"/v1/analytics/{question.name}", _endpoint(question), methods=["GET"], summary=question.summary,
        name=f"get_{name}", description=question.about,
        openapi_extra=described(listed(kind, item), {"items": [example]}, parameters=question.parameters.described()),
    )  # fmt: skip


for _domain in domains():
    for _question in _domain.questions:
        _add(_question)
