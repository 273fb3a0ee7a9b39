"""What registers send that their contracts do not know, and what they no longer send."""

from schemas.common.columns import COLLECTION_CODE, EVENT_TYPE
from schemas.contract import Replacing, col, table
from schemas.contract.types import CODE, COUNT, DAY, ID, INSTANT, TEXT
from schemas.ops.columns import REGISTER_NAME


@table(
    "ops.schema_drift",
    refresh="always",
    delta=False,
    clickhouse=Replacing(
        version="reported_at",
        order_by=("reported_on", "collection_code", "register_name", "field_name"),
        ttl="toDateTime(reported_on) + INTERVAL 400 DAY",
    ),
)
class SchemaDrift:
    """One row per day, register and field that was there and is not known, or is known and was in no row."""

    reported_on = col(DAY, "The day, UTC, whose rows were looked at, by when the broker took them.", key=True)
    collection_code = COLLECTION_CODE(key=True)
    register_name = REGISTER_NAME(key=True)
    field_name = col(TEXT, "The field.", key=True)
    event_type = EVENT_TYPE(note="of all rows of the register")
    drift_code = col(CODE, "unknown: it is in no table of fields; missing: no row had it.")
    row_count = col(COUNT, "Rows with the unknown field, or all rows of the register where it is missing.")
    value_types = col(TEXT, "Kinds of its values, such as String, Int64; empty where it is missing.")
    first_seen_at = col(INSTANT, "Since when it has been reported so, by the rows that were looked at.")
    example_id = col(
        ID, "An event of the day, to be looked up in bronze; values are not shown, they may be a person's."
    )
    reported_at = col(INSTANT, "When it was looked at.")
