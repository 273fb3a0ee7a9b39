"""Columns that several registers of procurement have."""

from schemas.contract.shared import shared
from schemas.contract.types import CODE, FLAG, ID, INSTANT, MONEY, NUMBER, TEXT

# Who takes part.
PARTY_ID = shared(ID, "The party.")
PARTY_TAX_ID = shared(ID, "BIN of the party.")
BUYER_ID = shared(ID, "The buyer.")
BUYER_TAX_ID = shared(ID, "BIN of the buyer.")
SUPPLIER_ID = shared(ID, "The supplier.")
SUPPLIER_TAX_ID = shared(ID, "BIN of the supplier; a person's is a keyed hash.")
SUPPLIER_RAW_ID = shared(ID, "BIN, or a person's IIN.")
FIO = shared(TEXT, "The person's name.")
COUNTRY_CODE = shared(CODE, "Country, as the register codes it.")
KATO_CODE = shared(CODE, "Place, KATO.")

# What is bought.
TENDER_ID = shared(ID, "The tender.")
TENDER_NUMBER = shared(TEXT, "Number of the announcement.")
LOT_ID = shared(ID, "The lot.")
LOT_IDS = shared(TEXT, "The lots, as a JSON list.")
CONTRACT_ID = shared(ID, "The contract.")
PLANNING_ITEM_ID = shared(ID, "The planned item.")
FIN_YEAR = shared(TEXT, "Financial year.")
METHOD_CODE = shared(CODE, "Procurement method.")
SUBJECT_CODE = shared(CODE, "1 goods, 2 works, 3 services.")
SPECIFIC_CODE = shared(CODE, "Budget specific, EKRB.")
STATUS_NAME = shared(TEXT, "Status in words.")
DECISION_NUMBER = shared(TEXT, "Number of the decision.")
APPROVED_AT = shared(INSTANT, "When it was approved.")
IS_CONSTRUCTION = shared(FLAG, "Whether it is construction work.")

# How much.
QUANTITY = shared(
    NUMBER, "How many units.", differs="a register counts parts of a unit; a shop counts whole pieces"
)  # fmt: skip
UNIT_AMOUNT = shared(MONEY, "Price of a unit.")
TOTAL_VAT_AMOUNT = shared(MONEY, "Sum with VAT.")
