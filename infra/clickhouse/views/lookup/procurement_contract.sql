-- What became of one contract, by its number, its number in the register or its id, and quickly? (SELECT * FROM lookup.procurement_contract(number = '…') ORDER BY at)
CREATE OR REPLACE VIEW lookup.procurement_contract AS
WITH
-- Lists, for each is asked for once, where a named query is asked anew wherever it is named.
(
    SELECT groupUniqArray((toString(collection_code), if(ifNull(root_id, '') IN ('', '0'), contract_id, assumeNotNull(root_id))))
    FROM
    (
        SELECT collection_code, contract_id, root_id FROM lookup.procurement_contracts_by_number(value = {number:String})
        UNION ALL
        SELECT collection_code, contract_id, root_id FROM lookup.procurement_contracts_by_system_number(value = {number:String})
        UNION ALL
        SELECT collection_code, contract_id, root_id FROM silver.procurement_contracts_latest WHERE contract_id = {number:String}
    )
) AS roots,
(
    SELECT groupUniqArray((toString(collection_code), contract_id, if(ifNull(root_id, '') IN ('', '0'), contract_id, assumeNotNull(root_id))))
    FROM silver.procurement_contracts_latest
    WHERE (collection_code, contract_id) IN
    (
        SELECT arrayJoin(roots).1, arrayJoin(roots).2
        UNION ALL
        SELECT collection_code, contract_id FROM silver.procurement_contracts
        WHERE root_id IN (SELECT arrayJoin(roots).2)
    )
    AND (toString(collection_code), if(ifNull(root_id, '') IN ('', '0'), contract_id, assumeNotNull(root_id))) IN (SELECT arrayJoin(roots).1, arrayJoin(roots).2)
) AS chain
SELECT c.collection_code AS collection_code, o.root AS root_contract_id,
       if(c.contract_id = o.root, 'contract', 'addendum') AS part, c.contract_id AS number,
       ifNull(c.description, '') AS what, c.total_vat_amount AS amount, toNullable(toString(c.currency_code)) AS currency_code,
       c.signed_at AS at
FROM silver.procurement_contracts_latest AS c
INNER JOIN (SELECT arrayJoin(chain) AS o, o.1 AS collection, o.2 AS contract, o.3 AS root) AS o
ON o.collection = c.collection_code AND o.contract = c.contract_id
WHERE (c.collection_code, c.contract_id) IN (SELECT arrayJoin(chain).1, arrayJoin(chain).2)
UNION ALL
SELECT w.collection_code, n.root, 'award', w.award_id, ifNull(w.description, ''), w.total_amount,
       toNullable(toString(w.currency_code)), w.awarded_at
FROM silver.procurement_awards_latest AS w
INNER JOIN
(
    SELECT collection_code, contract_id AS root, award
    FROM silver.procurement_contracts_latest ARRAY JOIN JSONExtract(ifNull(award_ids, '[]'), 'Array(String)') AS award
    WHERE (collection_code, contract_id) IN (SELECT arrayJoin(chain).1, arrayJoin(chain).2)
) AS n
ON n.collection_code = w.collection_code AND n.award = w.award_id
WHERE (w.collection_code, w.award_id) IN
(
    SELECT collection_code, arrayJoin(JSONExtract(ifNull(award_ids, '[]'), 'Array(String)'))
    FROM silver.procurement_contracts_latest
    WHERE (collection_code, contract_id) IN (SELECT arrayJoin(chain).1, arrayJoin(chain).2)
)
UNION ALL
SELECT i.collection_code, o.root, 'item', i.item_id, concat('lot ', ifNull(i.lot_id, '')), i.total_vat_amount,
       toNullable(toString(i.currency_code)), i.planned_at
FROM silver.procurement_contract_items_latest AS i
INNER JOIN (SELECT arrayJoin(chain) AS o, o.1 AS collection, o.2 AS contract, o.3 AS root) AS o
ON o.collection = i.collection_code AND o.contract = i.contract_id
WHERE (i.collection_code, i.item_id) IN
(
    SELECT collection_code, item_id FROM silver.procurement_contract_items
    WHERE contract_id IN (SELECT arrayJoin(chain).2)
)
UNION ALL
SELECT a.collection_code, if(o.contract != '', o.root, ifNull(a.root_contract_id, '')) AS act_root,
       'act', a.act_id, ifNull(a.status_name, ''), a.transfer_kzt, 'KZT', a.approved_at
FROM silver.procurement_acts_latest AS a
LEFT JOIN (SELECT arrayJoin(chain) AS o, o.1 AS collection, o.2 AS contract, o.3 AS root) AS o
ON o.collection = a.collection_code AND o.contract = a.contract_id
WHERE (a.collection_code, a.act_id) IN
(
    SELECT collection_code, act_id FROM silver.procurement_acts
    WHERE contract_id IN (SELECT arrayJoin(chain).2) OR root_contract_id IN (SELECT arrayJoin(roots).2)
)
AND (toString(a.collection_code), act_root) IN (SELECT arrayJoin(roots).1, arrayJoin(roots).2)
UNION ALL
SELECT t.collection_code, o.root, 'payment', t.transaction_id, ifNull(t.description, ''), t.paid_amount,
       toNullable(toString(t.currency_code)), t.paid_at
FROM silver.procurement_transactions_latest AS t
INNER JOIN (SELECT arrayJoin(chain) AS o, o.1 AS collection, o.2 AS contract, o.3 AS root) AS o
ON o.collection = t.collection_code AND o.contract = t.contract_id
WHERE (t.collection_code, t.transaction_id) IN
(
    SELECT collection_code, transaction_id FROM silver.procurement_transactions
    WHERE contract_id IN (SELECT arrayJoin(chain).2)
)
