-- What became of every purchase line that was sent? (accepted, superseded and quarantined lines together)
-- status: accepted, superseded (a correction holds instead), or quarantined.
-- unit_price: Price of one piece.
-- amount: Quantity times price.
-- rule: The rule that refused the event; empty where it was accepted.
--
-- Of a refused event as much is shown as can be read of it: what cannot is null, and an event without readable lines is
-- in no row (ops.quarantine has them all). An event that was refused and then sent again, mended, is in both states.
-- Superseded is a line of an accepted event that holds no longer: a later event has its number (ops.corrections).
CREATE OR REPLACE VIEW silver.purchases_accounted AS
SELECT
    if(event_id IN (SELECT event_id FROM silver.purchase_corrections), 'superseded', 'accepted') AS status,
    event_id,
    toNullable(purchase_id) AS purchase_id,
    toNullable(toString(seller_id)) AS seller_id,
    customer_id,
    toNullable(sold_on) AS sold_on,
    toNullable(toString(currency_code)) AS currency_code,
    toNullable(product_id) AS product_id,
    description,
    toNullable(quantity) AS quantity,
    toNullable(unit_price_amount) AS unit_price,
    toNullable(line_amount) AS amount,
    '' AS rule,
    source
FROM silver.purchase_lines FINAL
UNION ALL
SELECT
    'quarantined' AS status,
    event_id,
    JSONExtract(event, 'purchase_id', 'Nullable(String)') AS purchase_id,
    JSONExtract(event, 'seller_id', 'Nullable(String)') AS seller_id,
    JSONExtract(event, 'customer_id', 'Nullable(String)') AS customer_id,
    toDate32(parseDateTime64BestEffortOrNull(JSONExtract(event, 'purchased_at', 'Nullable(String)'), 6, 'UTC')) AS sold_on,
    JSONExtract(event, 'currency_code', 'Nullable(String)') AS currency_code,
    JSONExtract(line, 'product_id', 'Nullable(String)') AS product_id,
    JSONExtract(line, 'description', 'Nullable(String)') AS description,
    toInt64OrNull(trim(BOTH '"' FROM JSONExtractRaw(line, 'quantity'))) AS quantity,
    -- A price may be written as a number or as a text.
    toDecimal64OrNull(trim(BOTH '"' FROM JSONExtractRaw(line, 'unit_price')), 4) AS unit_price,
    toDecimal64OrNull(toString(toDecimal128(unit_price, 4) * quantity), 4) AS amount,
    toString(rule) AS rule,
    source
FROM
(
    SELECT event_id, rule, source, ifNull(value, '') AS event, arrayJoin(JSONExtractArrayRaw(event, 'lines')) AS line
    FROM ops.quarantine FINAL
    WHERE kafka_topic = 'purchases'
)
