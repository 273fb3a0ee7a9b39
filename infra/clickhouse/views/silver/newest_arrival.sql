-- When did the newest purchase arrive? (now of the top lists; an event sent again is no arrival)
-- as_of_at: When the newest purchase arrived.
CREATE OR REPLACE VIEW silver.newest_arrival AS
SELECT max(ingested_at) AS as_of_at
FROM silver.purchase_lines FINAL
