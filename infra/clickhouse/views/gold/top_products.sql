-- Which products of which seller brought most, of all currencies together? (by the day of purchase, over all days; place 1 is the best in the base currency)
-- place: Place by revenue_base_amount, 1 is the best; what has no rate comes last, by currency and revenue.
-- currency_code: Currency of revenue_amount; null where the product was sold in several.
-- revenue_amount: Revenue in the product's own currency; null where it was sold in several.
CREATE OR REPLACE VIEW gold.top_products AS
SELECT
    row_number() OVER (ORDER BY revenue_base_amount DESC NULLS LAST, currency_code, revenue_amount DESC, seller_id, product_id) AS place,
    *
FROM
(
    SELECT
        t.product_id AS product_id,
        argMax(t.description, (t.last_sold_on, t.currency_code)) AS description,
        t.seller_id AS seller_id,
        sum(t.revenue_base_amount) AS revenue_base_amount,
        any(t.base_currency_code) AS base_currency_code,
        sum(t.unconverted_line_count) AS unconverted_line_count,
        if(count() = 1, toNullable(toString(any(t.currency_code))), NULL) AS currency_code,
        if(count() = 1, toNullable(any(t.revenue_amount)), NULL) AS revenue_amount,
        sum(t.order_count) AS order_count,
        sum(t.sold_count) AS sold_count,
        sum(t.returned_count) AS returned_count,
        max(t.last_sold_on) AS last_sold_on
    FROM gold.purchases_products AS t
    GROUP BY seller_id, product_id
)
ORDER BY place
