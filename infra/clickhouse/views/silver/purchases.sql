-- Which purchases were there? (one row per purchase that holds, with its lines added up; what was corrected is in ops.corrections)
-- line_count: Lines of the purchase, returned ones among them.
-- returned_line_count: Lines that were returned.
-- revenue_amount: Quantity times price of all lines, returned ones taken off.
CREATE OR REPLACE VIEW silver.purchases AS
SELECT
    event_id,
    any(l.purchase_id) AS purchase_id,
    any(l.purchased_at) AS purchased_at,
    any(l.sold_on) AS sold_on,
    any(l.seller_id) AS seller_id,
    any(l.customer_id) AS customer_id,
    any(l.currency_code) AS currency_code,
    count() AS line_count,
    countIf(l.is_return) AS returned_line_count,
    sum(l.line_amount) AS revenue_amount,
    any(l.ingested_at) AS ingested_at,
    any(l.source) AS source
FROM silver.purchase_lines_latest AS l
GROUP BY event_id
