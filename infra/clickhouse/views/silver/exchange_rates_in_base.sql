-- What is one unit of each currency worth in the base currency? (by the day of the quote, which holds until the next one, for SAUDA_RATE_DAYS days at most)
-- unit_rate: What one unit of the currency is worth in the base currency, half up to twelve digits.
-- base_currency_code: The base currency: SAUDA_BASE_CURRENCY.
--
-- Rates to the base currency go first; else the cross rate by way of the first currency to which both have rates, half up
-- to twelve digits. `jobs/core/base_currency.py` does the same for gold.
CREATE OR REPLACE VIEW silver.exchange_rates_in_base AS
WITH
    (SELECT base_currency_code FROM silver.base_currency) AS base,
    (SELECT rate_days FROM silver.base_currency) AS days,
    units AS
    (
        SELECT toString(base_currency_code) AS via, toString(currency_code) AS code, quoted_on, unit_rate AS unit
        FROM silver.exchange_rates_latest
        WHERE unit_rate > 0 AND unit_rate < 1000000
    ),
    of_base AS (SELECT via, quoted_on, unit FROM units WHERE via != base AND code = base)
SELECT
    code AS currency_code,
    quoted_on,
    toDecimal128(argMin(unit, way), 12) AS unit_rate,
    assumeNotNull(base) AS base_currency_code
FROM
(
    SELECT u.code AS code, u.quoted_on AS quoted_on, '' AS way, u.unit AS unit FROM units AS u WHERE u.via = base AND u.code != base
    UNION ALL
    SELECT u.code AS code, u.quoted_on AS quoted_on, u.via AS way, round(divideDecimal(u.unit, b.unit, 24), 12) AS unit
    FROM (SELECT * FROM units WHERE via != base AND code != base) AS u
    ASOF INNER JOIN of_base AS b ON u.via = b.via AND u.quoted_on >= b.quoted_on
    WHERE u.quoted_on <= addDays(b.quoted_on, days)
    UNION ALL
    SELECT b.via AS code, b.quoted_on AS quoted_on, b.via AS way, round(divideDecimal(toDecimal256(1, 12), b.unit, 24), 12) AS unit FROM of_base AS b
)
WHERE unit > 0 AND unit < 1000000
GROUP BY code, quoted_on
