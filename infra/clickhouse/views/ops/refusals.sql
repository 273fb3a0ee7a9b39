-- Which events were refused, by which rule, and how many?
-- event_count: Events that the rule refused.
-- example: The rule's sentence on the newest of them.
-- example_event_id: Id of the newest of them.
-- first_ingested_at: When the first of them arrived.
-- last_ingested_at: When the newest of them arrived.
CREATE OR REPLACE VIEW ops.refusals AS
SELECT
    kafka_topic,
    rule,
    count() AS event_count,
    argMax(q.sentence, q.ingested_at) AS example,
    argMax(q.event_id, q.ingested_at) AS example_event_id,
    min(q.ingested_at) AS first_ingested_at,
    max(q.ingested_at) AS last_ingested_at
FROM ops.quarantine AS q FINAL
GROUP BY kafka_topic, rule
ORDER BY event_count DESC, kafka_topic, rule
