-- What did all sellers together take in each week, in all currencies? (one row a week, in the base currency; weeks begin on Monday)
CREATE OR REPLACE VIEW gold.total_revenue_by_week AS
SELECT
    t.period_started_on AS week_on,
    sum(t.order_count) AS order_count,
    sum(t.revenue_base_amount) AS revenue_base_amount,
    any(t.base_currency_code) AS base_currency_code,
    sum(t.unconverted_line_count) AS unconverted_line_count
FROM gold.purchases_seller_periods AS t
WHERE t.period_kind = 'week' AND t.seller_id = ''
GROUP BY week_on
ORDER BY week_on
