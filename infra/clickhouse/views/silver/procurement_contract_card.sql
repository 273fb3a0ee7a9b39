-- What became of a contract? (its awards, addenda, items, acts and payments: ask WHERE root_contract_id = '…' ORDER BY at)
-- root_contract_id: Id of the first contract, to which addenda, items, acts and payments belong.
-- part: What the row tells of: award, contract, addendum, item, act or payment.
-- number: Id of the part.
-- what: Description or status of the part.
-- amount: Amount of the part, in currency_code.
-- at: When it was signed, planned, approved or paid.
CREATE OR REPLACE VIEW silver.procurement_contract_card AS
WITH chain AS
(
    SELECT collection_code, contract_id, if(ifNull(root_id, '') IN ('', '0'), contract_id, assumeNotNull(root_id)) AS root_contract_id
    FROM silver.procurement_contracts_latest
)
SELECT c.collection_code AS collection_code, chain.root_contract_id AS root_contract_id,
       if(c.contract_id = chain.root_contract_id, 'contract', 'addendum') AS part, c.contract_id AS number,
       ifNull(c.description, '') AS what, c.total_vat_amount AS amount, toNullable(toString(c.currency_code)) AS currency_code,
       c.signed_at AS at
FROM silver.procurement_contracts_latest AS c
INNER JOIN chain ON chain.collection_code = c.collection_code AND chain.contract_id = c.contract_id
UNION ALL
SELECT w.collection_code, n.root_contract_id, 'award', w.award_id, ifNull(w.description, ''), w.total_amount,
       toNullable(toString(w.currency_code)), w.awarded_at
FROM silver.procurement_awards_latest AS w
INNER JOIN
(
    SELECT collection_code, contract_id AS root_contract_id, award
    FROM silver.procurement_contracts_latest ARRAY JOIN JSONExtract(ifNull(award_ids, '[]'), 'Array(String)') AS award
) AS n
ON n.collection_code = w.collection_code AND n.award = w.award_id
UNION ALL
SELECT i.collection_code, chain.root_contract_id, 'item', i.item_id, concat('lot ', ifNull(i.lot_id, '')), i.total_vat_amount,
       toNullable(toString(i.currency_code)), i.planned_at
FROM silver.procurement_contract_items_latest AS i
INNER JOIN chain ON chain.collection_code = i.collection_code AND chain.contract_id = i.contract_id
UNION ALL
SELECT a.collection_code,
       multiIf(chain.contract_id != '', chain.root_contract_id, ifNull(a.root_contract_id, '') NOT IN ('', '0'),
               assumeNotNull(a.root_contract_id), ifNull(a.contract_id, '')) AS act_root,
       'act', a.act_id, ifNull(a.status_name, ''), a.transfer_kzt, 'KZT', a.approved_at
FROM silver.procurement_acts_latest AS a
LEFT JOIN chain ON chain.collection_code = a.collection_code AND chain.contract_id = a.contract_id
WHERE act_root NOT IN ('', '0')
UNION ALL
SELECT t.collection_code, chain.root_contract_id, 'payment', t.transaction_id, ifNull(t.description, ''), t.paid_amount,
       toNullable(toString(t.currency_code)), t.paid_at
FROM silver.procurement_transactions_latest AS t
INNER JOIN chain ON chain.collection_code = t.collection_code AND chain.contract_id = t.contract_id
