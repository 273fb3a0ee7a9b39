"""What the nightly jobs made of all purchases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.backends.backends import Backends
from api.http.access import Reader
from api.http.examples import WORDS, table_row
from api.http.openapi import column_schema, described, listed
from api.http.parameters import in_order
from api.purchases.analytics import QUESTIONS, Question

ROUTER = APIRouter(tags=["analytics"])
ABOUT = (
    "Amounts are texts with four decimals, each in the currency beside it; revenue_base_amount is in the base "
    "currency, by which currencies are ranked together. Made every night from all purchases."
)
NAMES = {"customers": "sales_by_customer", "products/top": "top_products"}
"""In OpenAPI, where the path says too little."""


def _asks(question: Question) -> Callable[..., Awaitable[Response]]:
    asked = question.parameters

    async def ask(request: Request, _: Reader) -> Response:
        given = asked.read(request)
        in_order(given)
        parts: Backends = request.app.state.parts
        rows = await parts.warehouse.rows(question.sql(given), given)
        return Response(orjson.dumps({"items": rows}), media_type="application/json")

    return ask


def _add(question: Question) -> None:
    columns = question.columns()
    names = [c.name for c in columns]
    name = NAMES.get(question.name, question.name.replace("/", "_").replace("-", "_"))
    kind = "".join(word.capitalize() for word in name.split("_"))
    item = {
        "title": f"{kind}Row", "type": "object", "required": names,
        "properties": {c.name: column_schema(c, answered=True) for c in columns},
    }  # fmt: skip
    example = {n: WORDS.get(n) for n in names} | table_row(question.table, names)
    ROUTER.add_api_route(
        f"/v1/analytics/{question.name}", _asks(question), methods=["GET"], summary=question.summary,
        name=f"get_{name}",
        description=f"{question.about} {ABOUT}".strip(),
        openapi_extra=described(listed(kind, item), {"items": [example]}, parameters=question.parameters.described()),
    )  # fmt: skip


for _question in QUESTIONS:
    _add(_question)
