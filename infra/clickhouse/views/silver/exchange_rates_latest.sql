-- Which exchange rates hold? (of a currency and day that were published again the later one)
-- unit_rate: What one unit of the currency costs in the base currency of the rate, half up to twelve digits.
CREATE OR REPLACE VIEW silver.exchange_rates_latest AS
SELECT
    base_currency_code,
    currency_code,
    quoted_on,
    rate,
    quantity,
    round(divideDecimal(toDecimal128(rate, 12), toDecimal128(quantity, 12), 24), 12) AS unit_rate,
    source,
    changed_at,
    event_id
FROM
(
    SELECT *
    FROM silver.exchange_rates FINAL
    -- Made-up rates never stand beside real ones.
    WHERE ifNull(source, '') != 'stand-in'
        OR (SELECT count() FROM silver.exchange_rates WHERE ifNull(source, '') != 'stand-in') = 0
    ORDER BY changed_at DESC, ingested_at DESC, kafka_offset DESC
    LIMIT 1 BY base_currency_code, currency_code, quoted_on
)
