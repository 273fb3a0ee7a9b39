-- What is each line of a purchase worth in the base currency? (by the rate of its day, half up to four digits; null without a rate)
-- base_currency_code: The base currency: SAUDA_BASE_CURRENCY.
-- line_base_amount: line_amount in the base currency; null where no rate holds on the day.
CREATE OR REPLACE VIEW silver.purchase_lines_in_base AS
WITH
    (SELECT base_currency_code FROM silver.base_currency) AS base,
    (SELECT rate_days FROM silver.base_currency) AS days
SELECT
    l.*,
    assumeNotNull(base) AS base_currency_code,
    multiIf(
        l.currency_code = base, toNullable(toDecimal128(l.line_amount, 4)),
        r.unit_rate > 0 AND l.sold_on <= addDays(r.quoted_on, days),
        toDecimal128(round(toDecimal128(l.line_amount, 4) * r.unit_rate, 4), 4),
        NULL
    ) AS line_base_amount
FROM silver.purchase_lines_latest AS l
ASOF LEFT JOIN silver.exchange_rates_in_base AS r
    ON r.currency_code = toString(l.currency_code) AND l.sold_on >= r.quoted_on
