-- What did each known customer buy in each month, of all sellers?
CREATE OR REPLACE VIEW gold.sales_by_customer_month AS
SELECT
    t.customer_id AS customer_id,
    toDate32(toStartOfMonth(t.sold_on)) AS month_on,
    t.currency_code AS currency_code,
    sum(t.order_count) AS order_count,
    sum(t.sold_count) AS sold_count,
    sum(t.returned_count) AS returned_count,
    sum(t.sales_amount) AS sales_amount,
    sum(t.returns_amount) AS returns_amount,
    sum(t.revenue_amount) AS revenue_amount,
    any(t.base_currency_code) AS base_currency_code,
    sum(t.revenue_base_amount) AS revenue_base_amount,
    sum(t.unconverted_line_count) AS unconverted_line_count
FROM gold.purchases_customer_daily AS t
GROUP BY customer_id, month_on, currency_code
ORDER BY customer_id, month_on, currency_code
