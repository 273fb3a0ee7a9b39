-- Which products of which seller brought most in each currency? (by the day of purchase, over all days; place 1 is the best of its currency)
CREATE OR REPLACE VIEW gold.top_products_by_currency AS
SELECT
    row_number() OVER (PARTITION BY currency_code ORDER BY revenue_amount DESC, seller_id, product_id) AS place,
    product_id,
    description,
    seller_id,
    currency_code,
    revenue_amount,
    order_count,
    sold_count,
    returned_count,
    last_sold_on
FROM gold.purchases_products
ORDER BY currency_code, place
