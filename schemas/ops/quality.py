"""What was found when finished data was judged."""

from schemas.common.columns import COLLECTION_CODE
from schemas.contract import Plain, col, table
from schemas.contract.types import CODE, COUNT, INSTANT, TEXT
from schemas.ops.columns import RUN_ID


@table(
    "ops.quality",
    refresh="always",
    delta=False,
    clickhouse=Plain(
        order_by=("domain", "checked_at", "run_id", "table_name", "collection_code", "check_name"),
        ttl="toDateTime(checked_at) + INTERVAL 400 DAY",
        dedup_window=1_000,
    ),
)
class Quality:
    """One row per check of a table in a run: what was wanted, what was seen, and what follows from it."""

    run_id = RUN_ID(note="all checks made in it share it", key=True)
    checked_at = col(INSTANT, "When the run looked; the same for all of its checks.")
    domain = col(CODE, "Domain of the table.")
    collection_code = COLLECTION_CODE(note="empty where a table has none", key=True)
    table_name = col(TEXT, "The table, such as silver.procurement_lots.", key=True)
    check_name = col(TEXT, "The check, with its column where it is about one: tender_id.resolves.", key=True)
    sentence = col(TEXT, "What is expected, and what was found where it is not so.")
    outcome = col(CODE, "passed, warned or stopped.")
    row_count = col(COUNT, "Rows that were looked at.")
    broken_count = col(COUNT, "Rows that do not keep it.")
    seen_value = col(TEXT, "The value that was judged, such as a count or a share in percent.")
    wanted_value = col(TEXT, "What it was judged by, such as '<= 1'.")
    example = col(TEXT, "A row or id that does not keep it; empty where all do.")
    day = col(CODE, "The day whose rows were looked at, or 'all'; none before this was kept.", optional=True)
