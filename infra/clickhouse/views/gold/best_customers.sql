-- Which customers brought most, of all currencies together? (over all days; place 1 is the best in the base currency)
-- place: Place by revenue_base_amount, 1 is the best; what has no rate comes last, by currency and revenue.
-- currency_code: Currency of the other amounts; null where the customer bought in several.
-- revenue_amount: Revenue in the customer's own currency; null where there are several.
-- returns_amount: Returns in the customer's own currency, as a positive amount; null where there are several.
CREATE OR REPLACE VIEW gold.best_customers AS
SELECT
    row_number() OVER (ORDER BY revenue_base_amount DESC NULLS LAST, currency_code, revenue_amount DESC, customer_id) AS place,
    *
FROM
(
    SELECT
        t.customer_id AS customer_id,
        sum(t.revenue_base_amount) AS revenue_base_amount,
        any(t.base_currency_code) AS base_currency_code,
        sum(t.unconverted_line_count) AS unconverted_line_count,
        if(count() = 1, toNullable(toString(any(t.currency_code))), NULL) AS currency_code,
        if(count() = 1, toNullable(any(t.revenue_amount)), NULL) AS revenue_amount,
        sum(t.order_count) AS order_count,
        sum(t.return_count) AS return_count,
        if(count() = 1, toNullable(any(t.returns_amount)), NULL) AS returns_amount,
        min(t.first_purchased_at) AS first_purchased_at,
        max(t.last_purchased_at) AS last_purchased_at
    FROM gold.purchases_customers AS t
    GROUP BY customer_id
)
ORDER BY place
