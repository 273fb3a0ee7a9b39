-- What did the last check of each table find?
CREATE OR REPLACE VIEW ops.latest_checks AS
SELECT domain, collection_code, table_name, check_name, outcome, sentence, row_count, broken_count, seen_value, wanted_value, example, checked_at, run_id
FROM ops.quality
WHERE (domain, collection_code, table_name, checked_at) IN
    (SELECT domain, collection_code, table_name, max(checked_at) FROM ops.quality GROUP BY domain, collection_code, table_name)
ORDER BY outcome = 'passed', outcome = 'warned', domain, collection_code, table_name, check_name
