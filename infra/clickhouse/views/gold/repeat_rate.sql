-- How many customers came again, by day, week, month and ever? (an empty seller_id is all sellers together)
CREATE OR REPLACE VIEW gold.repeat_rate AS
SELECT
    period_kind,
    period_started_on,
    seller_id,
    active_customer_count,
    repeat_customer_count,
    repeat_rate_pct,
    new_customer_count,
    returning_order_pct,
    as_of_on
FROM gold.purchases_repeat_periods
ORDER BY seller_id, period_kind, period_started_on
