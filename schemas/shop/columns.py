"""Columns that several tables of the shop have."""

from schemas.contract.shared import shared
from schemas.contract.types import COUNT

RUN_NO = shared(COUNT, "The run that staged the row; greater for a later one.")
