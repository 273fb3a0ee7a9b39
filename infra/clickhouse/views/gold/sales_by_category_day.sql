-- What was sold of each category of goods on each day? (orders with several categories count in each)
CREATE OR REPLACE VIEW gold.sales_by_category_day AS
SELECT
    t.category_name AS category_name,
    t.sold_on AS sold_on,
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
FROM gold.purchases_category_daily AS t
GROUP BY category_name, sold_on, currency_code
ORDER BY category_name, sold_on, currency_code
