-- What was sold of each product in each month?
CREATE OR REPLACE VIEW gold.sales_by_product_month AS
SELECT
    s.product_id AS product_id,
    p.description AS description,
    s.seller_id AS seller_id,
    s.month_on AS month_on,
    s.currency_code AS currency_code,
    s.order_count AS order_count,
    s.sold_count AS sold_count,
    s.returned_count AS returned_count,
    s.sales_amount AS sales_amount,
    s.returns_amount AS returns_amount,
    s.revenue_amount AS revenue_amount,
    s.base_currency_code AS base_currency_code,
    s.revenue_base_amount AS revenue_base_amount,
    s.unconverted_line_count AS unconverted_line_count
FROM
(
    SELECT
        t.product_id AS product_id,
        t.seller_id AS seller_id,
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
    FROM gold.purchases_product_daily AS t
    GROUP BY product_id, seller_id, month_on, currency_code
) AS s
LEFT JOIN gold.purchases_products AS p
    ON p.product_id = s.product_id AND p.seller_id = s.seller_id AND p.currency_code = s.currency_code
ORDER BY product_id, seller_id, month_on, currency_code
