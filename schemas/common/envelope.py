"""The columns by which a row can be followed back to the Kafka record that brought it."""

from schemas.common.columns import (
    ARRIVAL,
    BATCH_ID,
    EVENT_HASH,
    EVENT_ID,
    INGESTED_AT,
    KAFKA_OFFSET,
    KAFKA_PARTITION,
    KAFKA_TOPIC,
)


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
