-- How many customers did all sellers together have in each week, and how many came again? (one row a week; a customer of several weeks is in each: only new customers add up; weeks begin on Monday)
CREATE OR REPLACE VIEW gold.customers_by_week AS
SELECT
    r.period_started_on AS week_on,
    r.active_customer_count AS active_customer_count,
    r.new_customer_count AS new_customer_count,
    r.repeat_customer_count AS repeat_customer_count,
    r.repeat_rate_pct AS repeat_rate_pct,
    r.known_order_count AS known_order_count,
    r.returning_order_count AS returning_order_count,
    r.returning_order_pct AS returning_order_pct,
    r.as_of_on AS as_of_on
FROM gold.purchases_repeat_periods AS r
WHERE r.period_kind = 'week' AND r.seller_id = ''
ORDER BY week_on
