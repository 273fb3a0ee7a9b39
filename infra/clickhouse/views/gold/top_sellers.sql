-- Which sellers brought most, of all currencies together? (by the day of purchase, over all days; place 1 is the best in the base currency)
-- place: Place by revenue_base_amount, 1 is the best; what has no rate comes last, by currency and revenue.
-- currency_code: Currency of the other amounts; null where the seller sells in several.
-- revenue_amount: Revenue in the seller's own currency; null where there are several.
-- sales_amount: Sales in the seller's own currency; null where there are several.
-- returns_amount: Returns in the seller's own currency, as a positive amount; null where there are several.
CREATE OR REPLACE VIEW gold.top_sellers AS
SELECT
    row_number() OVER (ORDER BY revenue_base_amount DESC NULLS LAST, currency_code, revenue_amount DESC, seller_id) AS place,
    *
FROM
(
    SELECT
        t.seller_id AS seller_id,
        sum(t.revenue_base_amount) AS revenue_base_amount,
        any(t.base_currency_code) AS base_currency_code,
        sum(t.unconverted_line_count) AS unconverted_line_count,
        if(uniqExact(t.currency_code) = 1, toNullable(toString(any(t.currency_code))), NULL) AS currency_code,
        if(uniqExact(t.currency_code) = 1, toNullable(sum(t.revenue_amount)), NULL) AS revenue_amount,
        if(uniqExact(t.currency_code) = 1, toNullable(sum(t.sales_amount)), NULL) AS sales_amount,
        if(uniqExact(t.currency_code) = 1, toNullable(sum(t.returns_amount)), NULL) AS returns_amount,
        sum(t.order_count) AS order_count,
        min(t.sold_on) AS first_sold_on,
        max(t.sold_on) AS last_sold_on
    FROM gold.purchases_seller_daily AS t
    GROUP BY seller_id
)
ORDER BY place
