"""Money in the base currency: which rate holds on which day, and what a line is worth by it.

A rate holds on its day, and where none of a day exists (weekend, holiday) the last earlier one, for so many days as the
settings say. A unit's worth is rounded half up to twelve digits after the point, a line half up to four, away from
zero, so that a return cancels its sale. Lines are rounded and never sums: by whatever they are added up, totals agree.

Rates to the base currency itself go first; else the cross rate by way of the first currency to which both have rates.
ClickHouse's `silver.exchange_rates_in_base` does the same with what the stream brings.
"""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from conf.spark import BASE_CURRENCY, BASE_CURRENCY_DEFAULT, RATE_DAYS, RATE_DAYS_DEFAULT
from schemas.contract.rules import quoted
from schemas.contract.types import MONEY_SCALE, RATE, RATE_SCALE, SUM
from schemas.rates import STAND_IN
from schemas.rates.silver import ExchangeRates as R

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
        .coalesce(1)
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


def in_base(lines: DataFrame, rates: DataFrame, *, units: str, currency: str, day: str) -> DataFrame:
    """The lines with what they are worth in the base currency, in ten-thousandths; null without a rate of their day.

    It stands in two BIGINTs, `base_high` times 10^9 and `base_low`: both add up in Spark's fast path, without an
    overflow. `units` are ten-thousandths too. Rates are looked up by a whole number, and are whole numbers with a
    divisor: over millions of lines a text as key, and products of decimals, took as long as all the rest of the night.
    """
    held = daily(unit_rates(rates.coalesce(1)), R.currency_code).where(F.length(R.currency_code) == LETTERS)
    factors = held.selectExpr(f"{_key(R.currency_code, DAY)} AS rate_key", UNIT, *_factors())
    keyed = lines.withColumn("rate_key", F.expr(_key(currency, day)))
    priced = keyed.join(F.broadcast(factors), "rate_key", "left")
    high, low = (_worth(units, currency, part) for part in ("DIV", "%"))
    return priced.withColumns({"base_high": F.expr(high), "base_low": F.expr(low)})


def amount(high: Column, low: Column) -> Column:
    """The amount of which `in_base` made two parts, to the last digit."""
    whole = high.cast("decimal(28,0)") * F.lit(PART).cast("decimal(10,0)") + low.cast("decimal(19,0)")
    return (whole * F.lit(Decimal(1).scaleb(-MONEY_SCALE))).cast(SUM.spark)


LETTERS = 3
PART = 1_000_000_000
# (2 * units * numerator + denominator) must fit a BIGINT.
MOST = 9_200_000_000_000_000_000


def _key(currency: str, day: str) -> str:
    """A currency of three letters and a day as one whole number."""
    letters = f"ascii({currency}) * 65536 + ascii(right({currency}, 2)) * 256 + ascii(right({currency}, 1))"
    return f"CAST(unix_date({day}) AS BIGINT) * 16777216 + {letters}"


def _factors() -> list[str]:
    """A unit's worth as a fraction without needless zeros, and up to how many units it can be taken in BIGINTs."""
    scaled = f"CAST({UNIT} * 1000000000000 AS BIGINT)"
    text = f"CAST({scaled} AS STRING)"
    zeros = f"least(length({text}) - length(rtrim('0', {text})), {RATE_SCALE})"
    numerator, denominator = f"({scaled} DIV {_ten(zeros)})", _ten(f"{RATE_SCALE} - {zeros}")
    return [
        f"{numerator} AS numerator", f"{denominator} AS denominator",
        f"({MOST} - {denominator}) DIV (2 * {numerator}) AS most_units",
    ]  # fmt: skip


def _ten(power: str) -> str:
    return f"CAST(rpad('1', 1 + {power}, '0') AS BIGINT)"


def _worth(units: str, currency: str, part: str) -> str:
    """A line's worth, rounded half up and away from zero, divided by `PART`: the quotient (DIV) or the rest (%)."""
    # Not sign(), which is a double and keeps 53 bits.
    exact = f"if({units} < 0, -1L, 1L) * ((2 * abs({units}) * numerator + denominator) DIV (2 * denominator))"
    long = f"round(CAST({units} AS DECIMAL(19, 0)) * {UNIT}, 0)"
    return (
        f"CASE WHEN {currency} = {quoted(base_currency())} THEN {units} {part} {PART} "
        f"WHEN {UNIT} IS NULL THEN NULL "
        f"WHEN abs({units}) <= most_units THEN ({exact}) {part} {PART} "
        f"ELSE CAST({long} {part} {PART} AS BIGINT) END"
    )
