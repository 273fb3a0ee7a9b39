-- Which products sell best in the last hour? (place 1 is the best of its currency; now is the arrival of the newest purchase)
CREATE OR REPLACE VIEW silver.top_products_last_hour AS
WITH (SELECT as_of_at FROM silver.newest_arrival) AS now_at
SELECT
    row_number() OVER (PARTITION BY currency_code ORDER BY revenue_amount DESC, seller_id, product_id) AS place,
    *
FROM
(
    SELECT
        l.product_id AS product_id,
        l.seller_id AS seller_id,
        argMax(l.description, l.purchased_at) AS description,
        l.currency_code AS currency_code,
        sum(l.line_amount) AS revenue_amount,
        uniqExactIf(l.event_id, NOT l.is_return) AS order_count,
        sumIf(l.quantity, NOT l.is_return) AS sold_count,
        -sumIf(l.quantity, l.is_return) AS returned_count,
        now_at AS as_of_at
    FROM silver.purchase_lines_latest AS l
    WHERE l.sold_on >= toDate32(now_at - INTERVAL 1 HOUR)
        AND l.purchased_at > now_at - INTERVAL 1 HOUR
        AND l.purchased_at <= now_at
    GROUP BY seller_id, product_id, currency_code
)
ORDER BY currency_code, place
