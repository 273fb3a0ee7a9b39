-- What was taken in each hour, all sellers together?
CREATE OR REPLACE VIEW gold.revenue_by_hour AS
SELECT
    hour_at,
    currency_code,
    sum(t.order_count) AS order_count,
    sum(t.sales_amount) AS sales_amount,
    sum(t.returns_amount) AS returns_amount,
    sum(t.revenue_amount) AS revenue_amount
FROM gold.purchases_hourly AS t
GROUP BY hour_at, currency_code
ORDER BY hour_at, currency_code
