-- How many customers did all sellers together have in each month, and how many came again? (one row a month; a customer of several months is in each: only new customers add up)
CREATE OR REPLACE VIEW gold.customers_by_month AS
SELECT
    r.period_started_on AS month_on,
    r.active_customer_count AS active_customer_count,
    r.new_customer_count AS new_customer_count,
    r.repeat_customer_count AS repeat_customer_count,
    r.repeat_rate_pct AS repeat_rate_pct,
    r.known_order_count AS known_order_count,
    r.returning_order_count AS returning_order_count,
    r.returning_order_pct AS returning_order_pct,
    r.as_of_on AS as_of_on
FROM gold.purchases_repeat_periods AS r
WHERE r.period_kind = 'month' AND r.seller_id = ''
ORDER BY month_on
