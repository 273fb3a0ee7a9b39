"""Columns that several tables of operations have."""

from schemas.contract.shared import shared
from schemas.contract.types import ID, TEXT

RUN_ID = shared(ID, "The run.")
REGISTER_NAME = shared(TEXT, "The endpoint, by its name in the table of endpoints.")
