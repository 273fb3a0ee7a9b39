-- How did the price of each product change, and what did it cost before?
-- price_before_amount: Price before this one; empty for the first.
-- change_pct: Change against the price before, in percent; empty where the currency changed.
CREATE OR REPLACE VIEW silver.shop_price_history AS
SELECT product_id, seller_id, name, currency_code, valid_from, valid_to, is_current, price_amount,
       lagInFrame(toNullable(price_amount)) OVER w AS price_before_amount,
       if(lagInFrame(toNullable(currency_code)) OVER w = currency_code AND price_before_amount > 0,
          round(100 * (toFloat64(price_amount) / toFloat64(price_before_amount) - 1), 2), NULL) AS change_pct
FROM silver.shop_products
WINDOW w AS (PARTITION BY product_id ORDER BY valid_from ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
