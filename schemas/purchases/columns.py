"""Columns that several tables of purchases have."""

from schemas.contract.shared import shared
from schemas.contract.types import CODE, COUNT, DAY, ID, INSTANT, MONEY, NUMBER, SUM

PURCHASE_ID = shared(ID, "The shop's number of the purchase (order, receipt, invoice).")
PURCHASED_AT = shared(INSTANT, "When it was bought.")
SOLD_ON = shared(DAY, "Day of the purchase, UTC.")
QUANTITY = shared(COUNT, "Pieces; negative for a return.")
PERIOD_KIND = shared(CODE, "day, week or month.")
PERIOD_STARTED_ON = shared(DAY, "First day of the period, UTC; weeks begin on Monday.")

# Sums over lines.
LINE_COUNT = shared(COUNT, "Lines, returns among them.")
SOLD_COUNT = shared(COUNT, "Pieces sold.")
SALES_AMOUNT = shared(SUM, "Quantity times price of the sold lines.")
REVENUE_AMOUNT = shared(SUM, "sales_amount less returns_amount.")

# Sizes of baskets. A basket is the sold lines of one purchase.
MEAN_LINES = shared(NUMBER, "Lines per basket, mean.")
MEDIAN_LINES = shared(NUMBER, "Lines per basket, median.")
MEAN_AMOUNT = shared(MONEY, "Value per basket, mean, rounded half up.")
MEDIAN_AMOUNT = shared(MONEY, "Value per basket, lower median.")
LARGEST_AMOUNT = shared(MONEY, "Value of the largest basket.")
