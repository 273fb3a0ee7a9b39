-- What did all sellers together take on each day, in all currencies? (one row a day, in the base currency)
CREATE OR REPLACE VIEW gold.total_revenue_by_day AS
SELECT
    t.period_started_on AS sold_on,
    sum(t.order_count) AS order_count,
    sum(t.revenue_base_amount) AS revenue_base_amount,
    any(t.base_currency_code) AS base_currency_code,
    sum(t.unconverted_line_count) AS unconverted_line_count
FROM gold.purchases_seller_periods AS t
WHERE t.period_kind = 'day' AND t.seller_id = ''
GROUP BY sold_on
ORDER BY sold_on
