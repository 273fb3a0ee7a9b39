"""What ran and what was refused."""

from schemas.common.columns import (
    COLLECTION_CODE,
    KAFKA_PARTITION,
    KAFKA_TOPIC,
)
from schemas.common.envelope import Refused
from schemas.contract import Plain, Replacing, col, table
from schemas.contract.types import CODE, COUNT, FLAG, INSTANT, NUMBER, TEXT
from schemas.ops.columns import REGISTER_NAME, RUN_ID


@table(
    "ops.quarantine",
    refresh="stream",
    delta=False,
    clickhouse=Replacing(version="arrival", order_by=("kafka_topic", "event_id"), dedup_window=20_000),
)
class Quarantine(Refused):
    """One row per refused event, of every topic."""


@table(
    "ops.job_runs",
    refresh="always",
    delta=False,
    clickhouse=Plain(
        order_by=("finished_at", "run_id", "contract"),
        ttl="toDateTime(finished_at) + INTERVAL 400 DAY",
        dedup_window=1_000,
    ),
)
class JobRuns:
    """One row per run of a job and table."""

    run_id = RUN_ID(note="tables built together share it", key=True)
    contract = col(CODE, "The table that was built, or the job's name.", key=True)
    day = col(CODE, "The day that was rebuilt, or 'all'.")
    state = col(CODE, "done, stopped by a gate, or failed.")
    step = col(CODE, "The last step that was reached: build, gates, write, push, done.")
    rows_in = col(COUNT, "Rows read from the tables it is built from.")
    rows_out = col(COUNT, "Rows of the table after the run.")
    delta_version = col(COUNT, "Version of the Delta table that was pushed; -1 where none was written.")
    seconds = col(NUMBER, "Seconds from read to swap.")
    gates_seconds = col(NUMBER, "Seconds of these in which the gates judged the rows.", optional=True)
    verdicts = col(TEXT, "What the gates found, as JSON.")
    message = col(TEXT, "Why it failed or was stopped; empty when done.")
    is_pushed = col(FLAG, "Whether ClickHouse shows this run's rows.")
    started_at = col(INSTANT, "Start of the run.")
    finished_at = col(INSTANT, "End of the run.", key=True)


@table(
    "ops.collect_runs",
    refresh="always",
    delta=False,
    clickhouse=Plain(
        order_by=("finished_at", "run_id", "register_name"),
        ttl="toDateTime(finished_at) + INTERVAL 400 DAY",
        dedup_window=1_000,
    ),
)
class CollectRuns:
    """One row per run of a collection and endpoint that it asked."""

    run_id = RUN_ID(note="all endpoints asked in it share it", key=True)
    collection_code = COLLECTION_CODE()
    register_name = REGISTER_NAME(key=True)
    mode = col(CODE, "full, head, changes, detail or lookup.")
    page_count = col(COUNT, "Answers that were read.")
    row_count = col(COUNT, "Rows that Kafka acknowledged.")
    retry_count = col(COUNT, "Requests that were repeated.")
    seconds = col(NUMBER, "Seconds in which its requests were under way, waiting for a turn left out.")
    slowest_seconds = col(NUMBER, "Seconds of its slowest request.")
    quarantined_count = col(COUNT, "Rows and answers that could not be read and were sent to quarantine.")
    not_found_count = col(COUNT, "Ids that were listed and that the service answered with 404.")
    is_complete = col(FLAG, "Whether all that was to be asked was asked and acknowledged.")
    message = col(TEXT, "Why it is not complete, or what was noticed; empty when all is well.")
    started_at = col(INSTANT, "Start of the run.")
    finished_at = col(INSTANT, "When it was done with this endpoint.", key=True)


@table(
    "ops.lost_offsets",
    refresh="always",
    delta=False,
    clickhouse=Replacing(version="accepted_at", order_by=("accepted_at", "kafka_topic", "kafka_partition")),
)
class LostOffsets:
    """One row per partition of a topic and time at which somebody accepted that events of it are lost."""

    accepted_at = col(INSTANT, "When it was accepted.", key=True)
    kafka_topic = KAFKA_TOPIC(key=True)
    kafka_partition = KAFKA_PARTITION(key=True)
    reason_code = col(CODE, "expired: Kafka dropped them; recreated: the topic was made anew, or cut off.")
    from_offset_no = col(COUNT, "Offset of the first event that is lost.")
    to_offset_no = col(COUNT, "Offset after the last one; null where nobody knows it.", optional=True)
    sentence = col(TEXT, "What is lost, in words.")
