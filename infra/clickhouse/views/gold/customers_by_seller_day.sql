-- How many customers did each seller have on each day, and how many came again? (one row a seller and day; a customer of several days is in each: only new customers add up)
CREATE OR REPLACE VIEW gold.customers_by_seller_day AS
SELECT
    r.seller_id AS seller_id,
    r.period_started_on AS sold_on,
    r.active_customer_count AS active_customer_count,
    r.new_customer_count AS new_customer_count,
    r.repeat_customer_count AS repeat_customer_count,
    r.repeat_rate_pct AS repeat_rate_pct,
    r.known_order_count AS known_order_count,
    r.returning_order_count AS returning_order_count,
    r.returning_order_pct AS returning_order_pct,
    r.as_of_on AS as_of_on
FROM gold.purchases_repeat_periods AS r
WHERE r.period_kind = 'day' AND r.seller_id != ''
ORDER BY seller_id, sold_on
