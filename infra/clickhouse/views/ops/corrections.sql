-- Which purchase was replaced by what, when, and from where? (one row per superseded event, the newest correction first)
-- superseded_by_currency_code: Currency of the event that holds instead.
-- superseded_by_revenue_amount: Quantity times price of the event that holds instead, returned lines taken off.
--
-- The event that held before, and the one that came next under the number, with the money of both: null where ClickHouse
-- lacks the event. Returns are documents of their own: they replace, and are replaced by, returns only.
CREATE OR REPLACE VIEW ops.corrections AS
WITH amounts AS
(
    SELECT event_id, sum(line_amount) AS revenue_amount, toNullable(toString(any(currency_code))) AS currency_code, count() AS line_count
    FROM silver.purchase_lines FINAL
    WHERE event_id IN (SELECT event_id FROM silver.purchase_corrections)
        OR event_id IN (SELECT superseded_by_event_id FROM silver.purchase_corrections)
    GROUP BY event_id
)
SELECT
    c.superseded_at AS superseded_at,
    toString(c.seller_id) AS seller_id,
    c.purchase_id AS purchase_id,
    c.is_return_document AS is_return_document,
    c.event_id AS event_id,
    c.ingested_at AS ingested_at,
    c.sold_on AS sold_on,
    old.currency_code AS currency_code,
    toNullable(old.revenue_amount) AS revenue_amount,
    c.source AS source,
    c.superseded_by_event_id AS superseded_by_event_id,
    c.superseded_by_sold_on AS superseded_by_sold_on,
    new.currency_code AS superseded_by_currency_code,
    toNullable(new.revenue_amount) AS superseded_by_revenue_amount,
    c.superseded_by_source AS superseded_by_source
FROM silver.purchase_corrections AS c FINAL
LEFT JOIN amounts AS old ON old.event_id = c.event_id
LEFT JOIN amounts AS new ON new.event_id = c.superseded_by_event_id
ORDER BY superseded_at DESC, seller_id, purchase_id, event_id
