-- Which products of which seller sell best in the last hour, by the time of arrival? (place 1 is the best in the base currency, of all currencies together; now is now; what the page shows)
-- place: Place by revenue_base_amount, 1 is the best; what has no rate comes last, by currency and revenue.
-- as_of_at: Now of this list: the time of the question.
-- revenue_base_amount: Quantity times price, returned lines taken off, in the base currency.
-- unconverted_line_count: Lines without an exchange rate, which revenue_base_amount lacks.
-- currency_code: Currency of revenue_amount; null where it was sold in several.
-- revenue_amount: The same in its own currency; null where it was sold in several.
CREATE OR REPLACE VIEW silver.top_products_arrived_last_hour AS
WITH now64(6, 'UTC') AS now_at
SELECT
    row_number() OVER (ORDER BY revenue_base_amount DESC NULLS LAST, currency_code, revenue_amount DESC, seller_id, product_id) AS place,
    *
FROM
(
    SELECT
        l.product_id AS product_id,
        l.seller_id AS seller_id,
        argMax(l.description, l.purchased_at) AS description,
        sum(l.line_base_amount) AS revenue_base_amount,
        any(l.base_currency_code) AS base_currency_code,
        countIf(l.line_base_amount IS NULL) AS unconverted_line_count,
        if(uniqExact(l.currency_code) = 1, toNullable(toString(any(l.currency_code))), NULL) AS currency_code,
        if(uniqExact(l.currency_code) = 1, toNullable(sum(l.line_amount)), NULL) AS revenue_amount,
        uniqExactIf(l.event_id, NOT l.is_return) AS order_count,
        sumIf(l.quantity, NOT l.is_return) AS sold_count,
        -sumIf(l.quantity, l.is_return) AS returned_count,
        now_at AS as_of_at
    FROM silver.purchase_lines_in_base AS l
    WHERE l.ingested_at >= now_at - INTERVAL 1 HOUR
    GROUP BY seller_id, product_id
)
ORDER BY place
