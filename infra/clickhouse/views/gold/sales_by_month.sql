-- What did all sellers together sell in each month, to how many customers, in how large baskets? (a row a currency; customers are those of all currencies, the same in each row: add them up in none, gold.customers_by_month has them once)
CREATE OR REPLACE VIEW gold.sales_by_month AS
SELECT
    s.period_started_on AS month_on,
    s.currency_code AS currency_code,
    s.order_count AS order_count,
    s.sold_count AS sold_count,
    s.returned_count AS returned_count,
    s.sales_amount AS sales_amount,
    s.returns_amount AS returns_amount,
    s.revenue_amount AS revenue_amount,
    s.base_currency_code AS base_currency_code,
    s.revenue_base_amount AS revenue_base_amount,
    s.unconverted_line_count AS unconverted_line_count,
    s.mean_amount AS mean_basket_amount,
    s.median_amount AS median_basket_amount,
    s.mean_lines AS mean_basket_lines,
    s.median_lines AS median_basket_lines,
    r.active_customer_count AS active_customer_count,
    r.new_customer_count AS new_customer_count,
    if(r.active_customer_count = 0, NULL, r.repeat_rate_pct) AS repeat_rate_pct
FROM gold.purchases_seller_periods AS s
LEFT JOIN gold.purchases_repeat_periods AS r
    ON r.period_kind = s.period_kind AND r.seller_id = s.seller_id AND r.period_started_on = s.period_started_on
WHERE s.period_kind = 'month' AND s.seller_id = ''
ORDER BY month_on, currency_code
