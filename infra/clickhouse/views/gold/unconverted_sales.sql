-- Which sales have no exchange rate, and are in no total of the base currency? (by currency and day; load rates with ./start.sh ingest rates.nbk or rates.file, then ./start.sh job purchases)
-- line_count: Lines without a rate.
CREATE OR REPLACE VIEW gold.unconverted_sales AS
SELECT
    t.currency_code AS currency_code,
    t.sold_on AS sold_on,
    sum(t.unconverted_line_count) AS line_count,
    sum(t.revenue_amount) AS revenue_amount,
    any(t.base_currency_code) AS base_currency_code
FROM gold.purchases_seller_daily AS t
WHERE t.unconverted_line_count > 0
GROUP BY currency_code, sold_on
ORDER BY currency_code, sold_on
