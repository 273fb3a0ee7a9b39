"""The columns of each layer by which a row can be traced back to its Kafka record."""

from schemas.common.columns import (
    ARRIVAL,
    BATCH_ID,
    EVENT_HASH,
    EVENT_ID,
    EVENT_TYPE,
    INGESTED_AT,
    KAFKA_OFFSET,
    KAFKA_PARTITION,
    KAFKA_TOPIC,
    SOURCE,
    VALUE,
)
from schemas.contract import col
from schemas.contract.types import BYTES, CODE, HEADERS, TEXT


class Raw:
    """A Kafka record as it came. Every bronze table has just these columns."""

    kafka_topic = KAFKA_TOPIC(key=True)
    kafka_partition = KAFKA_PARTITION(key=True)
    kafka_offset = KAFKA_OFFSET(key=True)
    ingested_at = INGESTED_AT()
    event_id = EVENT_ID()
    event_hash = EVENT_HASH()
    event_type = EVENT_TYPE(note="empty where the producer does not say it", optional=True)
    batch_id = BATCH_ID()
    headers = col(HEADERS, "Headers of the record.", optional=True)
    key = col(BYTES, "Key of the record.", optional=True)
    value = VALUE(note="null for a tombstone", optional=True)


class Refused:
    """An event that broke a rule, and why."""

    kafka_topic = KAFKA_TOPIC(key=True)
    event_id = EVENT_ID(key=True)
    event_hash = EVENT_HASH(serving=False)
    kafka_partition = KAFKA_PARTITION()
    kafka_offset = KAFKA_OFFSET()
    ingested_at = INGESTED_AT()
    batch_id = BATCH_ID(serving=False)
    arrival = ARRIVAL()
    rule = col(CODE, "Name of the first rule that was broken, with its column: quantity.not_zero.")
    sentence = col(TEXT, "What was expected, and what was found.")
    value = VALUE(note="empty for a tombstone", optional=True)
    source = SOURCE(note="empty where its header ce_source does not say", optional=True)


class Envelope:
    """Where a row came from. Every silver table begins with these columns."""

    event_id = EVENT_ID(key=True)
    event_hash = EVENT_HASH(serving=False)
    ingested_at = INGESTED_AT()
    kafka_topic = KAFKA_TOPIC(serving=False)
    kafka_partition = KAFKA_PARTITION()
    kafka_offset = KAFKA_OFFSET()
    batch_id = BATCH_ID(serving=False)
    arrival = ARRIVAL()
