-- What did the last check of each table find, and of each day that was checked by itself since?
CREATE OR REPLACE VIEW ops.latest_checks AS
SELECT domain, collection_code, table_name, check_name, outcome, sentence, row_count, broken_count, seen_value, wanted_value, example, ifNull(q.day, 'all') AS day, checked_at, run_id
FROM ops.quality AS q
WHERE (domain, collection_code, table_name, ifNull(q.day, 'all'), checked_at) IN
(
    SELECT domain, collection_code, table_name, part, newest
    FROM
    (
        SELECT
            domain, collection_code, table_name, ifNull(d.day, 'all') AS part, max(d.checked_at) AS newest,
            maxIf(newest, part = 'all') OVER (PARTITION BY domain, collection_code, table_name) AS newest_of_all
        FROM ops.quality AS d
        GROUP BY domain, collection_code, table_name, part
    )
    WHERE newest >= newest_of_all
)
ORDER BY outcome = 'passed', outcome = 'warned', domain, collection_code, table_name, check_name
