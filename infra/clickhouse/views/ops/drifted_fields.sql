-- Which fields of registers are new, or gone, and since when?
-- last_reported_on: Newest day on which the field was reported.
CREATE OR REPLACE VIEW ops.drifted_fields AS
SELECT
    collection_code,
    register_name,
    field_name,
    drift_code,
    min(d.first_seen_at) AS first_seen_at,
    max(d.reported_on) AS last_reported_on,
    argMax(d.row_count, d.reported_on) AS row_count,
    argMax(d.value_types, d.reported_on) AS value_types,
    argMax(d.example_id, d.reported_on) AS example_id
FROM ops.schema_drift AS d FINAL
GROUP BY collection_code, register_name, field_name, drift_code
ORDER BY last_reported_on DESC, collection_code, register_name, drift_code, field_name
