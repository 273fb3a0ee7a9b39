-- What did each seller take in each month?
CREATE OR REPLACE VIEW gold.revenue_by_seller AS
SELECT
    seller_id,
    toStartOfMonth(sold_on) AS month_on,
    currency_code,
    sum(t.order_count) AS order_count,
    sum(t.sales_amount) AS sales_amount,
    sum(t.returns_amount) AS returns_amount,
    sum(t.revenue_amount) AS revenue_amount,
    any(t.base_currency_code) AS base_currency_code,
    sum(t.revenue_base_amount) AS revenue_base_amount,
    sum(t.unconverted_line_count) AS unconverted_line_count
FROM gold.purchases_seller_daily AS t
GROUP BY seller_id, month_on, currency_code
ORDER BY seller_id, month_on, currency_code
