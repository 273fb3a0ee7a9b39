-- What became of each table when it was last built?
-- last_done_at: When the table was last built to the end.
CREATE OR REPLACE VIEW ops.latest_runs AS
SELECT
    contract,
    argMax(r.state, r.finished_at) AS state,
    argMax(r.day, r.finished_at) AS day,
    argMax(r.step, r.finished_at) AS step,
    argMax(r.rows_out, r.finished_at) AS rows_out,
    argMax(r.seconds, r.finished_at) AS seconds,
    argMax(r.is_pushed, r.finished_at) AS is_pushed,
    argMax(r.message, r.finished_at) AS message,
    max(r.finished_at) AS finished_at,
    maxIf(r.finished_at, r.state = 'done') AS last_done_at
FROM ops.job_runs AS r
GROUP BY contract
ORDER BY contract
