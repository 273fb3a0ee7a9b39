"""The columns by which a row can be followed back to the Kafka record that brought it."""

from schemas.contract import col
from schemas.contract.types import CODE, COUNT, ID, INSTANT


class Envelope:
    """Where a row came from. Every silver table begins with these columns."""

    event_id = col(
        ID, "CloudEvents id of the event; topic, partition and offset where the producer sent none.", key=True
    )
    event_hash = col(COUNT, "xxhash64 of event_id: the fast side of the search for duplicates.", serving=False)
    ingested_at = col(INSTANT, "When the broker took the event.")
    kafka_topic = col(CODE, "Topic of the event.", serving=False)
    kafka_partition = col(COUNT, "Partition of the event.")
    kafka_offset = col(COUNT, "Offset of the event in its partition.")
    batch_id = col(COUNT, "The lake lane's batch that wrote the row.", serving=False)
    arrival = col(
        COUNT,
        "Greater for an earlier event (the largest BIGINT less the broker's time in microseconds): "
        "ClickHouse keeps the first.",
    )
