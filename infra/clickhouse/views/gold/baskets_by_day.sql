-- How many baskets were there on each day, and how large were they?
CREATE OR REPLACE VIEW gold.baskets_by_day AS
SELECT
    sold_on,
    currency_code,
    sum(t.basket_count) AS basket_count,
    sum(t.line_count) / basket_count AS mean_lines,
    toDecimal64(sum(t.sales_amount) / basket_count, 4) AS mean_amount,
    max(t.largest_amount) AS largest_amount
FROM gold.purchases_basket_daily AS t
GROUP BY sold_on, currency_code
ORDER BY sold_on, currency_code
