"""Columns that tables of several domains have: each name once, with its type and its meaning.

A table uses them so: ``seller_id = SELLER_ID(key=True)``. A domain's own shared columns stand in its ``columns.py``. A
test refuses a name with two types or two meanings, unless the column says why (``differs=…``).
"""

from schemas.contract.shared import shared
from schemas.contract.types import BYTES, CODE, COUNT, ID, INSTANT, MONEY, TEXT

# The Kafka record that brought a row.
EVENT_ID = shared(ID, "CloudEvents id of the event; topic, partition and offset where the producer sent none.")
EVENT_HASH = shared(COUNT, "xxhash64 of event_id: the fast side of the search for duplicates.")
EVENT_TYPE = shared(TEXT, "CloudEvents type of the event.")
INGESTED_AT = shared(INSTANT, "When the broker took the event.")
KAFKA_TOPIC = shared(CODE, "Topic of the event.")
KAFKA_PARTITION = shared(COUNT, "Partition of the event.")
KAFKA_OFFSET = shared(COUNT, "Offset of the event in its partition.")
BATCH_ID = shared(COUNT, "The lake lane's batch that wrote the row.")
ARRIVAL = shared(
    COUNT,
    "Greater for an earlier event (the largest BIGINT less the broker's time in microseconds): "
    "ClickHouse keeps the first.",
)
VALUE = shared(BYTES, "Value of the record, untouched.")
LINE_NO = shared(COUNT, "Place of the row in its event, from 0.")

# Where a row comes from, and since when it is so.
SOURCE = shared(TEXT, "Where the producer took the event from.")
COLLECTION_CODE = shared(CODE, "The publisher or set of files; no analysis mixes two.")
CHANGED_AT = shared(INSTANT, "When the row last changed at its source.")
TIMES_TEXT = shared(TEXT, "The times as the source wrote them, as a JSON object.")

# Trade.
SELLER_ID = shared(CODE, "The seller.")
CUSTOMER_ID = shared(ID, "The customer.")
PRODUCT_ID = shared(ID, "The shop's code of the product.")
CATEGORY_NAME = shared(TEXT, "Group of goods.")
CURRENCY_CODE = shared(CODE, "Currency of the money columns, ISO 4217.")
PRICE_AMOUNT = shared(MONEY, "Price of one piece.")

# People and places.
EMAIL = shared(TEXT, "Electronic address.")
PHONE = shared(TEXT, "Telephone.")
ADDRESS = shared(TEXT, "Street and house.")
CITY_NAME = shared(TEXT, "City.")

PER_TABLE = {
    "action_code": "what happened to the object of the row",
    "awarded_at": "when the object of the row was decided, or its outcome published",
    "created_at": "when the row was first entered",
    "day": "the day that a run was about",
    "decided_at": "when the object of the row was decided",
    "description": "a text about the object of the row",
    "ended_at": "when the object of the row ended",
    "finished_at": "when what the row reports was finished",
    "is_active": "whether the object of the row is in use now",
    "is_deleted": "whether the object of the row was deleted",
    "kind_code": "the kind of the object of the row",
    "message": "what a person should know of what the row reports",
    "name": "the name of the object of the row",
    "name_kz": "the same in Kazakh",
    "number": "the number that people know the object of the row by",
    "parent_id": "the object of the same kind to which it belongs",
    "person_id": "a keyed hash of a person, made of what the source says of the person",
    "planned_end_at": "until when the object of the row is to last",
    "reason_code": "why the row is there",
    "role_code": "what a person is to the object of the row",
    "row_count": "how many rows the row reports about",
    "rule": "by which rule the row was judged",
    "seconds": "how long took what the row reports",
    "sentence": "what the row reports, in words",
    "started_at": "when the object of the row began",
    "status_code": "the status of the object of the row, in the source's codes",
    "system_code": "the part of the source's system from which the row comes",
    "taken_at": "when the snapshot of the row was taken",
    "total_amount": "the worth of the object of the row",
}
"""Generic names, and what they are in every table. Each table describes them in its own words, with one type."""
