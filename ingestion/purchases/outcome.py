"""What became of the purchases of a run, as ClickHouse has it."""

from __future__ import annotations

from ingestion.core.outcome import Outcome, QueryClient, Reached, within

COMMONEST = 3
"""How many reasons of refusals are named."""


def purchases_outcome(client: QueryClient, source: str, reached: Reached, sent: int) -> Outcome:
    """Ask ClickHouse for the events of these offsets. `source` is their ``ce_source``."""
    lines = within(reached, "kafka_partition", "kafka_offset")
    successors = within(reached, "superseded_by_partition", "superseded_by_offset")
    ((accepted,),) = client.query(
        "SELECT uniqExact(event_id) FROM silver.purchase_lines FINAL "
        f"WHERE {lines} AND startsWith(source, {{source:String}})",
        parameters={"source": f"{source}:"},
    ).result_rows
    ((corrected,),) = client.query(
        "SELECT uniqExact(superseded_by_event_id) FROM silver.purchase_corrections FINAL "
        f"WHERE {successors} AND startsWith(superseded_by_source, {{source:String}})",
        parameters={"source": f"{source}:"},
    ).result_rows
    refused = client.query(
        "SELECT toString(rule), uniqExact(event_id) AS events, any(sentence) FROM ops.quarantine FINAL "
        f"WHERE kafka_topic = 'purchases' AND {lines} AND source = {{source:String}} "
        "GROUP BY rule ORDER BY events DESC, rule",
        parameters={"source": source},
    ).result_rows
    quarantined = sum(count for _, count, _ in refused)
    reasons = [(str(rule), int(count), str(sentence)) for rule, count, sentence in refused[:COMMONEST]]
    known = max(0, sent - int(accepted) - quarantined)
    return Outcome(sent, int(accepted), int(corrected), quarantined, known, reasons)
