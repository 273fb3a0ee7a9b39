"""Small contracts with one of everything, for tests of the contract language and of what is derived from it."""

from schemas.common.envelope import Raw
from schemas.contract import Plain, Replacing, col, contract, event, record, table
from schemas.contract.rules import (
    STOP,
    WARN,
    RowRule,
    at_least,
    matches,
    max_length,
    min_items,
    not_empty,
    one_of,
    since,
)
from schemas.contract.types import BYTES, CODE, COUNT, DAY, FLAG, HEADERS, ID, INSTANT, LIST, MONEY, NUMBER, TEXT


@record()
class Part:
    """One part of a sample."""

    part_id = col(ID, "The part.", not_empty())
    price = col(MONEY, "What it costs.", at_least(0), optional=True)


@event(
    "sample",
    topic="samples",
    partitions=3,
    rules={"": [RowRule("in_order", "count must be above zero", "count > 0")],
           "parts": [RowRule("dear", "price must be above zero", "price IS NULL OR price > 0")]},
)  # fmt: skip
class SampleEvent:
    """One sample, with its parts."""

    sample_id = col(ID, "The shop's sample.", not_empty(), max_length(20))
    taken_at = col(INSTANT, "When it was taken.", since("2000-01-01"))
    count = col(COUNT, "How many.")
    bin_code = col(CODE, "Business number.", not_empty(), matches("[0-9]{12}", "a BIN of 12 digits"))
    colour_code = col(CODE, "Colour.", one_of(("red", "blue"), "red or blue"), optional=True)
    parts = col(LIST, "What it is made of.", min_items(1), items=Part)


@table("bronze.samples", refresh="stream", built_from=[SampleEvent])
class SamplesRaw(Raw):
    """One row per record of the topic samples."""


@table(
    "silver.samples",
    refresh="stream",
    built_from=[SamplesRaw],
    sort_by=("sold_on", "seller_id"),
    clickhouse=Replacing(
        order_by=("sold_on", "seller_id", "sample_id"), partition="toYYYYMM(sold_on)", version="arrival",
        ttl="toDateTime(taken_at) + INTERVAL 400 DAY", dedup_window=10_000,
    ),
)  # fmt: skip
class Samples:
    """One row per sample. It isn't much."""

    taken_at = col(INSTANT, "When it was taken.")
    sample_id = col(ID, "The shop's sample.", key=True)
    sold_on = col(DAY, "Day of the sale.")
    seller_id = col(CODE, "The seller.", optional=True)
    colour_code = col(CODE, "Colour.", optional=True)
    price_kzt = col(MONEY, "Price.", optional=True)
    share = col(NUMBER, "Share.")
    is_sold = col(FLAG, "Whether it is sold.")
    note = col(TEXT, "Anything.", optional=True)
    arrival = col(COUNT, "Greater for an earlier event.")
    headers = col(HEADERS, "Headers.", optional=True)
    value = col(BYTES, "Value.", serving=False)


@table(
    "gold.sample_daily",
    built_from=[Samples],
    refresh="nightly",
    day="sold_on",
    clickhouse=Plain(partition="toYYYYMM(sold_on)"),
    rules=[RowRule("adds_up", "c_kzt must be a_kzt less b_kzt", "c_kzt = a_kzt - b_kzt", STOP)],
)
class SampleDaily:
    """One row per seller and day: what was sold."""

    seller_id = col(CODE, "The seller.", not_empty(), key=True, on_fail=STOP)
    sold_on = col(DAY, "Day of the sale.", key=True)
    a_kzt = col(MONEY, "First.", at_least(0), on_fail=STOP)
    b_kzt = col(MONEY, "Second.", at_least(0), on_fail=WARN)
    c_kzt = col(MONEY, "First less second.")


SAMPLE_EVENT, SAMPLES_RAW, SAMPLES, SAMPLE_DAILY = map(contract, (SampleEvent, SamplesRaw, Samples, SampleDaily))
