-- On which days was a seller's revenue unusual, and why? (the most unusual first)
CREATE OR REPLACE VIEW gold.unusual_days AS
SELECT
    sold_on,
    seller_id,
    revenue_amount,
    expected_amount,
    low_amount,
    high_amount,
    currency_code,
    score,
    reason
FROM gold.purchases_revenue_anomalies
WHERE is_anomaly
ORDER BY abs(score) DESC, sold_on, seller_id
