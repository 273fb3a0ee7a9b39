-- Which sellers brought most in each currency? (by the day of purchase, over all days; place 1 is the best of its currency)
CREATE OR REPLACE VIEW gold.top_sellers_by_currency AS
SELECT
    row_number() OVER (PARTITION BY currency_code ORDER BY revenue_amount DESC, seller_id) AS place,
    *
FROM
(
    SELECT
        seller_id,
        currency_code,
        sum(t.revenue_amount) AS revenue_amount,
        sum(t.sales_amount) AS sales_amount,
        sum(t.returns_amount) AS returns_amount,
        sum(t.order_count) AS order_count,
        min(t.sold_on) AS first_sold_on,
        max(t.sold_on) AS last_sold_on
    FROM gold.purchases_seller_daily AS t
    GROUP BY seller_id, currency_code
)
ORDER BY currency_code, place
