-- What does each product cost today?
-- priced_at: Since when it costs this.
CREATE OR REPLACE VIEW silver.shop_prices_today AS
SELECT product_id, seller_id, name, category_name, price_amount, currency_code, is_active, valid_from AS priced_at
FROM silver.shop_products_latest
