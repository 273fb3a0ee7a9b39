"""Send purchases, and see what became of them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from api.backends.backends import Backends, backends_of
from api.backends.keys import Key
from api.http import bodies
from api.http.access import Direct, Reader, needs
from api.http.examples import event as example
from api.http.openapi import described
from api.http.parameters import NOTHING, Parameter, Parameters
from api.http.problems import invalid, not_found, parameter
from api.purchases import batches
from api.purchases.batches import MAX_PURCHASES
from api.purchases.service import EVENT, AcceptedPurchase, Purchases
from schemas.contract.types import DAY, TEXT
from schemas.contract.types import ID as ID_TYPE
from schemas.derive.jsonschema import json_schema
from schemas.derive.validation import typed

ROUTER = APIRouter(tags=["purchases"])
IS_HOT = True
MAX_KEY_LENGTH = 200
KEY = {
    "name": "Idempotency-Key", "in": "header", "required": False, "example": "order-17",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH, "pattern": "^[ -~]+$"},
    "description": "The same key with the same content is the same request; with other content it is refused for a "
    "day. Purchases of the same content have the same ids and count once, with a key or without.",
}  # fmt: skip
DAY_HINT = Parameter("sold_on", DAY, "Day of the purchase, UTC: finds it faster.", example="2026-01-31")
PROOF = Parameter("proof", TEXT, "What `status_url` has: says that it was accepted before ClickHouse shows it.")
STATUS_PARAMETERS = Parameters(DAY_HINT, PROOF)
LINES = (
    "SELECT purchase_id, purchased_at, seller_id, customer_id, currency_code, ingested_at, line_no, product_id,"
    " description, quantity, unit_price_amount, line_amount, is_return FROM silver.purchase_lines FINAL"
    " WHERE event_id = {id:String}"
)
ON_DAY = " AND sold_on = {day:Date32}"
IN_ORDER = " ORDER BY line_no"
LATER = (
    "SELECT event_id, toString(any(sold_on)) AS day FROM silver.purchase_lines FINAL"
    " WHERE seller_id = {seller:String} AND purchase_id = {number:String}"
    " GROUP BY event_id HAVING min(is_return) = {is_return:Bool} ORDER BY any(arrival) LIMIT 1"
)
REFUSED = (
    "SELECT rule, sentence FROM ops.quarantine FINAL WHERE kafka_topic = {topic:String} AND event_id = {id:String}"
)
OF_THE_LINE = ("line_no", "product_id", "description", "quantity", "unit_price_amount", "line_amount", "is_return")
ID = Annotated[str, Path(description="Id of the event.", min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
SELLER = Annotated[str, Path(description="The seller.", min_length=1, max_length=64)]
NUMBER = Annotated[
    str, Path(description="The seller's number of it, which may hold slashes.", min_length=1, max_length=128)
]

_buyer = needs("write:purchases")
Buyer = Annotated[Key, Depends(_buyer)]


def _schema(name: str, **quantity: int) -> dict[str, Any]:
    """The event's schema without references: in OpenAPI these would point into another document.

    `quantity` are the limits of quantities: positive in a purchase, negative in a return.
    """
    schema = json_schema(EVENT)
    records = schema.pop("$defs")
    for left_out in ("$schema", "$id"):
        schema.pop(left_out)
    for each in schema["properties"].values():
        if "items" in each:
            each["items"] = records[each["items"]["$ref"].rpartition("/")[2]] | {"additionalProperties": False}
    line = schema["properties"]["lines"]["items"]
    line["properties"] = line["properties"] | {"quantity": line["properties"]["quantity"] | quantity}
    line["title"] = f"{name}Line"
    return schema | {"title": name, "additionalProperties": False}


PURCHASE, RETURN = _schema("Purchase", minimum=1), _schema("Return", maximum=-1)
BATCH = {
    "title": "PurchaseBatch", "type": "object", "required": ["purchases"], "additionalProperties": False,
    "properties": {"purchases": {"type": "array", "items": PURCHASE, "minItems": 1, "maxItems": MAX_PURCHASES}},
}  # fmt: skip
EXAMPLE = example(EVENT, "almaly-market")
RETURNED = EXAMPLE | {"lines": [line | {"quantity": -1} for line in EXAMPLE["lines"]]}
ACCEPTANCE_FIELDS = ("event_id", "purchase_id", "status_url")
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
ACCEPTANCE = {
    "title": "Acceptance", "type": "object", "required": ["events"],
    "properties": {"events": {"type": "array", "items": {
        "title": "AcceptedEvent", "type": "object", "required": list(ACCEPTANCE_FIELDS),
        "properties": {name: {"type": "string"} for name in ACCEPTANCE_FIELDS},
    }}},
}  # fmt: skip
EVENT_ID = "7d3f5f0e-6f0a-5b53-9a53-6d2f3c5a1b11"
ACCEPTANCE_EXAMPLE = {
    "events": [
        {
            "event_id": EVENT_ID,
            "purchase_id": EXAMPLE["purchase_id"],
            "status_url": f"/v1/purchases/{EVENT_ID}?sold_on=2026-01-31&proof=5b1f0c7e2a9d4c3f8e6b7a10",
        }
    ]
}
STATE = {
    "title": "PurchaseState", "type": "object", "required": ["event_id", "state"],
    "properties": {
        "event_id": {"type": "string"},
        "state": {"type": "string", "enum": ["accepted", "in_silver", "superseded", "refused"]},
        "superseded_by": TEXTS, "rule": {"type": "string"}, "sentence": {"type": "string"},
        "purchase": {"type": "object"},
    },
}  # fmt: skip


def _answer(accepted: list[AcceptedPurchase], status: int = 202) -> Response:
    body = {"events": [each.described() for each in accepted]}
    headers = {"Location": body["events"][0]["status_url"]} if len(accepted) == 1 else None
    return Response(orjson.dumps(body), status, headers, "application/json")


async def send_one(request: Request) -> Response:
    """Answered when every replica of Kafka has the purchase; 503 means that it must be sent again.

    A seller's number names one purchase: sent again with the same content, in any spelling, it counts once; with other
    content it is refused (409). A correction is sent by PUT.
    """
    return await _one(request, is_return=False)


async def send_return(request: Request) -> Response:
    """Like a purchase, with negative quantities: what is returned, at the price that is refunded."""
    return await _one(request, is_return=True)


async def _one(request: Request, *, is_return: bool) -> Response:
    key = await _buyer(request)
    NOTHING.read(request)
    name = _key(request)
    body = await bodies.receive(request, EVENT.max_bytes)
    backends = backends_of(request)
    purchases = backends.service(Purchases)
    async with backends.turn(len(body)):
        value = bodies.parse(body)
        validated = await purchases.validate(key.key_id, name, ((body, value),), are_returns=is_return)
    return _answer(await purchases.accept(validated))


async def send_batch(request: Request) -> Response:
    """All or nothing: when one breaks a rule, none is sent."""
    key = await _buyer(request)
    NOTHING.read(request)
    name = _key(request)
    backends = backends_of(request)
    purchases = backends.service(Purchases)
    body = await bodies.receive(request, backends.settings.api_body_bytes)
    async with backends.turn(len(body)):
        validated = await purchases.validate(key.key_id, name, batches.read(body), "/purchases")
    return _answer(await purchases.accept(validated))


async def put_purchase(request: Request, key: Buyer, seller_id: SELLER, purchase_id: NUMBER) -> Response:
    """The current version of the number is replaced, and stays in silver; without one the purchase is new.

    The body has the same seller and number. With the current content nothing is sent: 200.
    """
    return await _put(request, key, seller_id, purchase_id, is_return=False)


async def put_return(request: Request, key: Buyer, seller_id: SELLER, purchase_id: NUMBER) -> Response:
    """As a purchase is replaced. A return is a document of its own, also where it has the number of a purchase."""
    return await _put(request, key, seller_id, purchase_id, is_return=True)


async def _put(request: Request, key: Key, seller_id: str, purchase_id: str, *, is_return: bool) -> Response:
    NOTHING.read(request)
    name = _key(request)
    backends = backends_of(request)
    purchases = backends.service(Purchases)
    body = await bodies.receive(request, EVENT.max_bytes)
    async with backends.turn(len(body)):
        validated = await purchases.validate(key.key_id, name, ((body, bodies.parse(body)),), are_returns=is_return)
    (document,) = validated.documents
    for field, given, actual in (("seller_id", seller_id, document.number.seller_id),
                                ("purchase_id", purchase_id, document.number.purchase_id)):  # fmt: skip
        if typed(ID_TYPE, given) != actual:
            sentence = f'{field} must be that of the path, {given[:80]!r}; found "{actual[:80]}"'
            raise invalid([{"pointer": f"/{field}", "rule": f"{field}.path", "detail": sentence}])
    accepted = await purchases.accept(validated, replacing=True)
    return _answer(accepted, 202 if accepted[0].is_new else 200)


IS_ACCEPTED = "Kafka has it; ClickHouse shows it within a second or two."
ROUTER.add_api_route(
    "/v1/purchases", send_one, methods=["POST"], status_code=202, summary="Send a purchase", name="create_purchase",
    route_class_override=Direct,
    openapi_extra=described(
        ACCEPTANCE, ACCEPTANCE_EXAMPLE, status=202, body=PURCHASE, body_example=EXAMPLE, parameters=[KEY], errors=[409],
        answer=IS_ACCEPTED, headers={"Location": "Where its state is."},
    ),
)  # fmt: skip
ROUTER.add_api_route(
    "/v1/returns", send_return, methods=["POST"], status_code=202, summary="Send a return", name="create_return",
    route_class_override=Direct,
    openapi_extra=described(
        ACCEPTANCE, ACCEPTANCE_EXAMPLE, status=202, body=RETURN, body_example=RETURNED, parameters=[KEY], errors=[409],
        answer=IS_ACCEPTED, headers={"Location": "Where its state is."},
    ),
)  # fmt: skip
ROUTER.add_api_route(
    "/v1/purchases:batch", send_batch, methods=["POST"], status_code=202, route_class_override=Direct,
    summary=f"Send up to {MAX_PURCHASES:,} purchases", name="create_purchases",
    openapi_extra=described(
        ACCEPTANCE, ACCEPTANCE_EXAMPLE, status=202, body=BATCH, body_example={"purchases": [EXAMPLE]}, parameters=[KEY],
        errors=[409], answer="Kafka has them all.",
    ),
)  # fmt: skip

_SAME = "It holds already: nothing was sent."
for _path, _send, _body, _example, _what in (
    ("purchases", put_purchase, PURCHASE, EXAMPLE, "purchase"), ("returns", put_return, RETURN, RETURNED, "return"),
):  # fmt: skip
    ROUTER.add_api_route(
        f"/v1/{_path}/{{seller_id}}/{{purchase_id:path}}", _send, methods=["PUT"], status_code=202,
        summary=f"Replace a {_what}, or create it", name=f"replace_{_what}",
        openapi_extra=described(
            ACCEPTANCE, ACCEPTANCE_EXAMPLE, status=202, body=_body, body_example=_example, parameters=[KEY],
            errors=[409], answer=IS_ACCEPTED, also={200: _SAME},
            headers={"Location": "Where its state is."},
        ),
    )  # fmt: skip


def _key(request: Request) -> str:
    """The Idempotency-Key, empty if there is none. Raises a Problem (422)."""
    text = request.headers.get("idempotency-key")
    if text is not None and not (0 < len(text) <= MAX_KEY_LENGTH and text.isascii() and text.isprintable()):
        raise parameter("Idempotency-Key", f"Idempotency-Key must be 1 to {MAX_KEY_LENGTH} visible ASCII characters.")
    return text or ""


@ROUTER.get(
    "/v1/purchases/{event_id}", name="get_purchase_state", summary="What became of a purchase",
    openapi_extra=described(
        STATE, {"event_id": EVENT_ID, "state": "in_silver"}, parameters=STATUS_PARAMETERS.described(), errors=[404]
    ),
)  # fmt: skip
async def status(request: Request, _: Reader, event_id: ID) -> Response:
    """`accepted`: Kafka has it. `in_silver`: with its lines. `superseded`: in silver, and another event with the
    same number came later. `refused`: with the rule and its sentence."""
    backends = backends_of(request)
    given = STATUS_PARAMETERS.read(request)
    day: date | None = given.get("sold_on")
    sql = LINES + (ON_DAY if day else "") + IN_ORDER
    lines = await backends.warehouse.rows(sql, {"id": event_id} | ({"day": day} if day else {}))
    if lines:
        later = await _later(backends, event_id, lines)
        if later:
            return _state(event_id, "superseded", superseded_by=later, purchase=_purchase(lines))
        return _state(event_id, "in_silver", purchase=_purchase(lines))
    refused = await backends.warehouse.rows(REFUSED, {"topic": EVENT.topic, "id": event_id})
    if refused:
        return _state(event_id, "refused", **refused[0])
    if backends.service(Purchases).has_taken(event_id, given.get("proof", "")):
        return _state(event_id, "accepted")
    raise not_found(f"purchase {event_id[:80]!r} in silver or quarantine")


async def _later(backends: Backends, event_id: str, lines: list[dict[str, Any]]) -> dict[str, str] | None:
    """The current event of the number, if it is another one."""
    number = {
        "seller": lines[0]["seller_id"], "number": lines[0]["purchase_id"],
        "is_return": all(line["is_return"] for line in lines),
    }  # fmt: skip
    rows = await backends.warehouse.rows(LATER, number)
    if not rows or rows[0]["event_id"] == event_id:
        return None
    (holds,) = rows
    return {"event_id": holds["event_id"], "status_url": f"/v1/purchases/{holds['event_id']}?sold_on={holds['day']}"}


def _state(event_id: str, state: str, **more: Any) -> Response:
    return Response(orjson.dumps({"event_id": event_id, "state": state, **more}), media_type="application/json")


def _purchase(lines: list[dict[str, Any]]) -> dict[str, Any]:
    whole = {name: value for name, value in lines[0].items() if name not in OF_THE_LINE}
    return whole | {"lines": [{name: line[name] for name in OF_THE_LINE} for line in lines]}
