-- How long ago did each customer last order? (as of the newest day in the data, so that a replay says the same)
CREATE OR REPLACE VIEW gold.customers_by_recency AS
WITH (SELECT max(sold_on) FROM gold.purchases_seller_daily) AS newest
SELECT
    t.customer_id AS customer_id,
    min(t.sold_on) AS first_ordered_on,
    max(t.sold_on) AS last_ordered_on,
    newest AS as_of_on,
    dateDiff('day', last_ordered_on, newest) AS recency_day_count,
    sum(t.order_count) AS order_count
FROM gold.purchases_customer_daily AS t
WHERE t.order_count > 0
GROUP BY customer_id
ORDER BY recency_day_count, customer_id
