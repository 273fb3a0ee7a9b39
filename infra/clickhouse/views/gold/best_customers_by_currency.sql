-- Which customers brought most in each currency? (over all days; place 1 is the best of its currency)
CREATE OR REPLACE VIEW gold.best_customers_by_currency AS
SELECT
    row_number() OVER (PARTITION BY currency_code ORDER BY revenue_amount DESC, customer_id) AS place,
    customer_id,
    currency_code,
    revenue_amount,
    order_count,
    return_count,
    returns_amount,
    first_purchased_at,
    last_purchased_at
FROM gold.purchases_customers
ORDER BY currency_code, place
