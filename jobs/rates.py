"""Money in the base currency: which rate holds on which day, and what a line is worth by it.

A rate holds on its day, and where none of a day exists (weekend, holiday) the last earlier one, for so many days as the
settings say. A unit's worth is rounded half up to twelve digits after the point, a line half up to four, away from
zero, so that a return cancels its sale. Lines are rounded and never sums: by whatever they are added up, totals agree.

Rates to the base currency itself go first; else the cross rate by way of the first currency to which both have rates.
ClickHouse's `silver.exchange_rates_in_base` does the same with what the stream brings.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from conf.spark import BASE_CURRENCY, BASE_CURRENCY_DEFAULT, RATE_DAYS, RATE_DAYS_DEFAULT
from schemas.rates import STAND_IN
from schemas.rates.feed import ExchangeRates as R
from schemas.types import MONEY_SCALE, RATE, RATE_SCALE

DAY, UNIT = "rate_on", "unit_rate"
KEYS = (R.base_currency_code, R.currency_code, R.quoted_on)


def base_currency() -> str:
    """The currency in which totals over several currencies are given: `SAUDA_BASE_CURRENCY`."""
    return str(SparkSession.active().conf.get(BASE_CURRENCY, BASE_CURRENCY_DEFAULT))


def rate_days() -> int:
    """For how many days after its own a rate holds where there is no newer: `SAUDA_RATE_DAYS`."""
    return int(SparkSession.active().conf.get(RATE_DAYS, RATE_DAYS_DEFAULT) or RATE_DAYS_DEFAULT)


def unit_rates(rates: DataFrame) -> DataFrame:
    """Currency, day of the quote, and what one unit is worth in the base currency; the base currency is in no row."""
    base = base_currency()
    units = in_force(rates)
    direct = units.where(F.col(R.base_currency_code) == base).withColumn("via", F.lit(""))
    other = units.where(F.col(R.base_currency_code) != base)
    # What the base currency itself costs in those other currencies.
    of_base = other.where(F.col(R.currency_code) == base)
    legs = daily(of_base, R.base_currency_code, R.currency_code).select(
        F.col(R.base_currency_code).alias("via"), F.col(DAY).alias("leg_on"), F.col(UNIT).alias("leg")
    )
    crossed = other.where(F.col(R.currency_code) != base).join(
        F.broadcast(legs), (F.col(R.base_currency_code) == F.col("via")) & (F.col(R.quoted_on) == F.col("leg_on"))
    )
    inverse = of_base.select(
        F.col(R.base_currency_code).alias(R.currency_code), R.quoted_on, F.col(R.base_currency_code).alias("via"),
        quotient(F.lit(1), F.col(UNIT)).alias(UNIT),
    )  # fmt: skip
    names = (R.currency_code, R.quoted_on, "via", UNIT)
    every = direct.select(*names).unionByName(
        crossed.withColumn(UNIT, quotient(F.col(UNIT), F.col("leg"))).select(*names)
    )
    return (
        every.unionByName(inverse.select(*names))
        .where(F.col(UNIT) > 0)
        .groupBy(R.currency_code, R.quoted_on)
        .agg(F.min_by(UNIT, "via").alias(UNIT))
    )


def in_force(rates: DataFrame) -> DataFrame:
    """Of each base, currency and day what one unit costs, by the rate that was published last."""
    place = F.struct(R.changed_at, R.ingested_at, R.kafka_offset)
    newest = _published(rates).groupBy(*KEYS).agg(F.max_by(F.struct(R.rate, R.quantity), place).alias("newest"))
    unit = quotient(F.col(f"newest.{R.rate}"), F.col(f"newest.{R.quantity}"))
    return newest.select(*KEYS, unit.alias(UNIT)).where(F.col(UNIT) > 0)


def _published(rates: DataFrame) -> DataFrame:
    """Without the stand-in's, where there is any other: made-up rates never stand beside real ones."""
    is_real = ~F.col(R.source).eqNullSafe(STAND_IN)
    some = rates.agg(F.coalesce(F.bool_or(is_real), F.lit(False)).alias("has_real"))
    return rates.crossJoin(F.broadcast(some)).where(is_real | ~F.col("has_real")).drop("has_real")


def quotient(dividend: Column, divisor: Column) -> Column:
    """Half up to the digits of a rate; null where it has too many before the point."""
    return F.round(dividend.cast(RATE.spark) / divisor.cast(RATE.spark), RATE_SCALE).try_cast(RATE.spark)


def daily(units: DataFrame, *currencies: str) -> DataFrame:
    """One row a day on which a rate holds: its own, and those after it until a newer one, or until it is too old."""
    next_on = F.lead(R.quoted_on).over(Window.partitionBy(*currencies).orderBy(R.quoted_on))
    oldest = F.date_add(R.quoted_on, rate_days())
    until = F.least(F.coalesce(F.date_sub(next_on, 1), oldest), oldest)
    days = F.sequence(F.col(R.quoted_on), F.col("until"))
    return units.withColumn("until", until).withColumn(DAY, F.explode(days)).drop("until")


def in_base(lines: DataFrame, rates: DataFrame, *, amount: str, currency: str, day: str) -> DataFrame:
    """The lines with `base_amount`, what `amount` is worth in the base currency on its day; null without a rate."""
    held = daily(unit_rates(rates), R.currency_code).select(
        F.col(R.currency_code).alias("of_currency"), F.col(DAY).alias("of_day"), F.col(UNIT)
    )
    same = (F.col(currency) == F.col("of_currency")) & (F.col(day) == F.col("of_day"))
    worth = F.round(F.col(amount).cast("decimal(18,4)") * F.col(UNIT), MONEY_SCALE)
    exact = F.when(F.col(currency) == base_currency(), F.col(amount)).otherwise(worth).cast("decimal(28,4)")
    return lines.join(F.broadcast(held), same, "left").withColumn("base_amount", exact)
