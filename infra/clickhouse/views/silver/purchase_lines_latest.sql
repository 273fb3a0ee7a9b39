-- Which lines of purchases hold? (silver.purchase_lines without those that a later event of the same number superseded)
CREATE OR REPLACE VIEW silver.purchase_lines_latest AS
SELECT *
FROM silver.purchase_lines FINAL
WHERE event_id NOT IN (SELECT event_id FROM silver.purchase_corrections)
