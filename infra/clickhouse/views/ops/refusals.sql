-- Which events were refused, by which rule, and how many?
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
