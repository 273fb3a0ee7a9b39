-- What is known of a company, by its BIN alone and quickly? (SELECT * FROM lookup.procurement_company(tax_id = '…') ORDER BY at)
CREATE OR REPLACE VIEW lookup.procurement_company AS
WITH
itself AS (SELECT collection_code, party_id FROM lookup.procurement_parties_by_party_tax_id(value = {tax_id:String})),
bought AS (SELECT collection_code, contract_id FROM lookup.procurement_contracts_by_buyer_tax_id(value = {tax_id:String}))
SELECT collection_code, 'party' AS part, 'itself' AS role, party_id AS number,
       ifNull(name, '') AS what, NULL::Nullable(Decimal(18, 4)) AS amount, NULL::Nullable(String) AS currency_code,
       registered_at AS at
FROM lookup.procurement_parties_by_party_tax_id(value = {tax_id:String})
UNION ALL
SELECT collection_code, 'address', 'itself', address_id,
       concatWithSeparator(' ', ifNull(toString(country_code), ''), ifNull(toString(kato_code), '')), NULL, NULL, toNullable(changed_at)
FROM silver.procurement_party_addresses_latest
WHERE (collection_code, address_id) IN
(
    SELECT collection_code, address_id FROM silver.procurement_party_addresses
    WHERE party_id IN (SELECT party_id FROM itself)
)
AND (collection_code, party_id) IN (SELECT collection_code, party_id FROM itself)
UNION ALL
SELECT collection_code, 'planning item', 'buyer', planning_item_id,
       ifNull(name, ''), total_amount, toNullable(toString(currency_code)), approved_at
FROM lookup.procurement_planning_items_by_buyer_tax_id(value = {tax_id:String})
UNION ALL
SELECT collection_code, 'tender', 'organiser', ifNull(number, tender_id),
       ifNull(name, ''), total_amount, toNullable(toString(currency_code)), published_at
FROM lookup.procurement_tenders_by_organiser_tax_id(value = {tax_id:String})
UNION ALL
SELECT collection_code, 'tender', 'buyer', ifNull(number, tender_id),
       ifNull(name, ''), total_amount, toNullable(toString(currency_code)), published_at
FROM lookup.procurement_tenders_by_buyer_tax_id(value = {tax_id:String})
UNION ALL
SELECT collection_code, 'lot', 'buyer', ifNull(number, lot_id),
       ifNull(name, ''), total_amount, toNullable(toString(currency_code)), toNullable(changed_at)
FROM lookup.procurement_lots_by_buyer_tax_id(value = {tax_id:String})
UNION ALL
SELECT collection_code, 'bid', 'supplier', bid_id,
       concat('lot ', ifNull(lot_id, ''), ', status ', ifNull(toString(status_code), '')), total_amount,
       toNullable(toString(currency_code)), submitted_at
FROM lookup.procurement_bids_by_supplier_tax_id(value = {tax_id:String})
UNION ALL
SELECT collection_code, 'award', 'buyer', ifNull(number, award_id),
       ifNull(description, ''), total_amount, toNullable(toString(currency_code)), awarded_at
FROM lookup.procurement_awards_by_buyer_tax_id(value = {tax_id:String})
UNION ALL
SELECT collection_code, 'award', 'supplier', ifNull(number, award_id),
       ifNull(description, ''), total_amount, toNullable(toString(currency_code)), awarded_at
FROM lookup.procurement_awards_by_supplier_tax_id(value = {tax_id:String})
UNION ALL
SELECT collection_code, 'contract', 'buyer', ifNull(number, contract_id),
       ifNull(description, ''), total_vat_amount, toNullable(toString(currency_code)), signed_at
FROM lookup.procurement_contracts_by_buyer_tax_id(value = {tax_id:String})
UNION ALL
SELECT collection_code, 'contract', 'supplier', ifNull(number, contract_id),
       ifNull(description, ''), total_vat_amount, toNullable(toString(currency_code)), signed_at
FROM lookup.procurement_contracts_by_supplier_tax_id(value = {tax_id:String})
UNION ALL
SELECT collection_code, 'act', role, act_id, ifNull(status_name, ''), transfer_kzt, toNullable('KZT'), approved_at
FROM silver.procurement_acts_latest
ARRAY JOIN ['buyer', 'supplier'] AS role, [ifNull(buyer_id, ''), ifNull(supplier_id, '')] AS party
WHERE (collection_code, act_id) IN
(
    SELECT collection_code, act_id FROM silver.procurement_acts
    WHERE buyer_id IN (SELECT party_id FROM itself) OR supplier_id IN (SELECT party_id FROM itself)
)
AND (collection_code, party) IN (SELECT collection_code, party_id FROM itself)
UNION ALL
SELECT collection_code, 'payment', 'supplier', transaction_id,
       ifNull(description, ''), paid_amount, toNullable(toString(currency_code)), paid_at
FROM lookup.procurement_transactions_by_supplier_tax_id(value = {tax_id:String})
UNION ALL
SELECT collection_code, 'payment', 'buyer', transaction_id,
       ifNull(description, ''), paid_amount, toNullable(toString(currency_code)), paid_at
FROM silver.procurement_transactions_latest
WHERE (collection_code, transaction_id) IN
(
    SELECT collection_code, transaction_id FROM silver.procurement_transactions
    WHERE contract_id IN (SELECT contract_id FROM bought)
)
AND (collection_code, ifNull(contract_id, '')) IN (SELECT collection_code, contract_id FROM bought)
UNION ALL
SELECT collection_code, 'debarment', 'supplier', debarment_id,
       ifNull(court_decision, ''), NULL, NULL, started_at
FROM lookup.procurement_debarments_by_supplier_tax_id(value = {tax_id:String})
