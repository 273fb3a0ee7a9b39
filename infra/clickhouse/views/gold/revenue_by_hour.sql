-- What was taken in each hour, all sellers together?
CREATE OR REPLACE VIEW gold.revenue_by_hour AS
SELECT
    hour_at,
    currency_code,
    sum(t.order_count) AS order_count,
    sum(t.sales_amount) AS sales_amount,
    sum(t.returns_amount) AS returns_amount,
    sum(t.revenue_amount) AS revenue_amount,
    any(t.base_currency_code) AS base_currency_code,
    sum(t.revenue_base_amount) AS revenue_base_amount,
    sum(t.unconverted_line_count) AS unconverted_line_count
FROM gold.purchases_hourly AS t
GROUP BY hour_at, currency_code
ORDER BY hour_at, currency_code
