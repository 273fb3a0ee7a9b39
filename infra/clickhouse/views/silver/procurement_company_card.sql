-- What is known of a company? (everything of one BIN: ask WHERE tax_id = '…' ORDER BY at)
-- tax_id: BIN or IIN of the company that is asked for.
-- part: What the row tells of: party, address, planning item, tender, lot, bid, award, contract, act, payment or debarment.
-- role: What the company is in it: itself, organiser, buyer or supplier.
-- number: Number or id of the part.
-- what: Name, description or status of the part.
-- amount: Amount of the part, in currency_code; empty where it has none.
-- at: When it was registered, published, signed or paid.
CREATE OR REPLACE VIEW silver.procurement_company_card AS
SELECT collection_code, assumeNotNull(party_tax_id) AS tax_id, 'party' AS part, 'itself' AS role, party_id AS number,
       ifNull(name, '') AS what, NULL::Nullable(Decimal(18, 4)) AS amount, NULL::Nullable(String) AS currency_code,
       registered_at AS at
FROM silver.procurement_parties_latest WHERE party_tax_id IS NOT NULL
UNION ALL
SELECT a.collection_code, assumeNotNull(p.party_tax_id), 'address', 'itself', a.address_id,
       concatWithSeparator(' ', ifNull(toString(a.country_code), ''), ifNull(toString(a.kato_code), '')), NULL, NULL,
       toNullable(a.changed_at)
FROM silver.procurement_party_addresses_latest AS a
INNER JOIN silver.procurement_parties_latest AS p ON p.collection_code = a.collection_code AND p.party_id = a.party_id
WHERE p.party_tax_id IS NOT NULL
UNION ALL
SELECT collection_code, assumeNotNull(buyer_tax_id), 'planning item', 'buyer', planning_item_id,
       ifNull(name, ''), total_amount, toNullable(toString(currency_code)), approved_at
FROM silver.procurement_planning_items_latest WHERE buyer_tax_id IS NOT NULL
UNION ALL
SELECT collection_code, assumeNotNull(buyer_tax_id), 'tender', 'buyer', ifNull(number, tender_id),
       ifNull(name, ''), total_amount, toNullable(toString(currency_code)), published_at
FROM silver.procurement_tenders_latest WHERE buyer_tax_id IS NOT NULL
UNION ALL
SELECT collection_code, assumeNotNull(organiser_tax_id), 'tender', 'organiser', ifNull(number, tender_id),
       ifNull(name, ''), total_amount, toNullable(toString(currency_code)), published_at
FROM silver.procurement_tenders_latest WHERE organiser_tax_id IS NOT NULL
UNION ALL
SELECT collection_code, assumeNotNull(buyer_tax_id), 'lot', 'buyer', ifNull(number, lot_id),
       ifNull(name, ''), total_amount, toNullable(toString(currency_code)), toNullable(changed_at)
FROM silver.procurement_lots_latest WHERE buyer_tax_id IS NOT NULL
UNION ALL
SELECT collection_code, assumeNotNull(supplier_tax_id), 'bid', 'supplier', bid_id,
       concat('lot ', ifNull(lot_id, ''), ', status ', ifNull(toString(status_code), '')), total_amount,
       toNullable(toString(currency_code)), submitted_at
FROM silver.procurement_bids_latest WHERE supplier_tax_id IS NOT NULL
UNION ALL
SELECT collection_code, assumeNotNull(buyer_tax_id), 'award', 'buyer', ifNull(number, award_id),
       ifNull(description, ''), total_amount, toNullable(toString(currency_code)), awarded_at
FROM silver.procurement_awards_latest WHERE buyer_tax_id IS NOT NULL
UNION ALL
SELECT collection_code, assumeNotNull(supplier_tax_id), 'award', 'supplier', ifNull(number, award_id),
       ifNull(description, ''), total_amount, toNullable(toString(currency_code)), awarded_at
FROM silver.procurement_awards_latest WHERE supplier_tax_id IS NOT NULL
UNION ALL
SELECT collection_code, assumeNotNull(buyer_tax_id), 'contract', 'buyer', ifNull(number, contract_id),
       ifNull(description, ''), total_vat_amount, toNullable(toString(currency_code)), signed_at
FROM silver.procurement_contracts_latest WHERE buyer_tax_id IS NOT NULL
UNION ALL
SELECT collection_code, assumeNotNull(supplier_tax_id), 'contract', 'supplier', ifNull(number, contract_id),
       ifNull(description, ''), total_vat_amount, toNullable(toString(currency_code)), signed_at
FROM silver.procurement_contracts_latest WHERE supplier_tax_id IS NOT NULL
UNION ALL
SELECT a.collection_code, assumeNotNull(p.party_tax_id), 'act', a.role, a.act_id, a.what, a.transfer_kzt, toNullable('KZT'),
       a.approved_at
FROM
(
    SELECT collection_code, act_id, role, party, ifNull(status_name, '') AS what, transfer_kzt, approved_at
    FROM silver.procurement_acts_latest
    ARRAY JOIN ['buyer', 'supplier'] AS role, [ifNull(buyer_id, ''), ifNull(supplier_id, '')] AS party
) AS a
INNER JOIN silver.procurement_parties_latest AS p ON p.collection_code = a.collection_code AND p.party_id = a.party
WHERE p.party_tax_id IS NOT NULL
UNION ALL
SELECT t.collection_code, assumeNotNull(c.buyer_tax_id), 'payment', 'buyer', t.transaction_id,
       ifNull(t.description, ''), t.paid_amount, toNullable(toString(t.currency_code)), t.paid_at
FROM silver.procurement_transactions_latest AS t
INNER JOIN silver.procurement_contracts_latest AS c ON c.collection_code = t.collection_code AND c.contract_id = t.contract_id
WHERE c.buyer_tax_id IS NOT NULL
UNION ALL
SELECT collection_code, assumeNotNull(supplier_tax_id), 'payment', 'supplier', transaction_id,
       ifNull(description, ''), paid_amount, toNullable(toString(currency_code)), paid_at
FROM silver.procurement_transactions_latest WHERE supplier_tax_id IS NOT NULL
UNION ALL
SELECT collection_code, assumeNotNull(supplier_tax_id), 'debarment', 'supplier', debarment_id,
       ifNull(court_decision, ''), NULL, NULL, started_at
FROM silver.procurement_debarments_latest WHERE supplier_tax_id IS NOT NULL
