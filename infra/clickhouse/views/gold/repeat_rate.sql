-- How many customers came again, by day, week, month and ever? (days, weeks and months overlap, and is_total rows are all sellers together: choose one period_kind and add up nothing; gold.customers_by_week and its sisters have one kind each)
-- is_total: Whether the row is of all sellers together; its seller_id is empty.
CREATE OR REPLACE VIEW gold.repeat_rate AS
SELECT
    period_kind,
    period_started_on,
    seller_id,
    seller_id = '' AS is_total,
    active_customer_count,
    repeat_customer_count,
    repeat_rate_pct,
    new_customer_count,
    returning_order_pct,
    as_of_on
FROM gold.purchases_repeat_periods
ORDER BY seller_id, period_kind, period_started_on
