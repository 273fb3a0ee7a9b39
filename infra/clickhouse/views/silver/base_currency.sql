-- In which currency is money of several currencies added up, and for how many days does an exchange rate hold? (SAUDA_BASE_CURRENCY, SAUDA_RATE_DAYS)
-- base_currency_code: Currency of all base amounts, ISO 4217.
-- rate_days: Days after its own on which a rate holds where there is no newer one.
CREATE OR REPLACE VIEW silver.base_currency AS
SELECT 'KZT' AS base_currency_code, toInt64(7) AS rate_days
