"""Days on which a seller's revenue was unusual."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from jobs.core.registry import builds
from schemas.contract.types import SUM
from schemas.purchases.gold import RevenueAnomalies as A
from schemas.purchases.gold import SellerDaily

NEEDED_DAYS = 28  # so many earlier days with sales before a day is judged
LEVEL_DAYS, FEWEST_LEVEL_DAYS = 28, 7
WEEKDAY_WEEKS = 8
SPREAD_DAYS = 56
# Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993): a normal distribution's MAD is 0.6745 of its standard
# deviation, and scores beyond 3.5 are outliers.
MAD_OF_NORMAL, THRESHOLD = 0.6745, 3.5
# A shop that takes the same amount each day has no spread; without a least one the first coin more would be unusual.
LEAST_SPREAD = 0.01


@builds(A)
def revenue_anomalies(days: DataFrame) -> DataFrame:
    """Judge each day by the days before it.

    Days without a row are not filled with zeros: a shop that is closed on Saturdays would have a Saturday effect for
    it, but a holiday would count as a catastrophe, and a day nothing is known of as one without sales. So "the last 28
    days" are the last 28 with sales or returns. Looking back only keeps a verdict once it is given, and keeps the day
    itself out of its own expectation; what is judged first, after 28 days, is judged with a wide interval.

    Expectations are estimates, so they are calculated in floating point and rounded at the end; revenue is not.
    """
    series = Window.partitionBy(A.seller_id, A.currency_code).orderBy(A.sold_on)
    same_weekday = Window.partitionBy(A.seller_id, A.currency_code, "weekday").orderBy(A.sold_on)
    revenue, level, usual = F.col("revenue"), F.col("level"), F.coalesce("weekday_effect", F.lit(0.0))
    enough = F.col("earlier_days") >= NEEDED_DAYS
    return (
        days.select(
            A.seller_id, A.sold_on, A.currency_code, A.revenue_amount,
            F.col(SellerDaily.revenue_amount).cast("double").alias("revenue"),
            F.dayofweek(A.sold_on).alias("weekday"),
        )
        .withColumn("earlier_days", F.row_number().over(series) - 1)
        .withColumn("level", F.when(F.col("earlier_days") >= FEWEST_LEVEL_DAYS, _median("revenue", series, LEVEL_DAYS)))
        .withColumn("weekday_effect", _median(revenue - level, same_weekday, WEEKDAY_WEEKS))
        .withColumn("distance", F.abs(revenue - level - F.col("weekday_effect")))
        .withColumn("spread", _median("distance", series, SPREAD_DAYS))
        .withColumn("expected", F.when(enough & F.col("spread").isNotNull(), level + usual))
        .withColumn("spread", F.greatest("spread", F.abs(level) * LEAST_SPREAD, F.lit(0.0001)))
        .withColumn("reach", F.col("spread") * (THRESHOLD / MAD_OF_NORMAL))
        .select(*map(F.col, (A.seller_id, A.sold_on, A.currency_code, A.revenue_amount)), *_verdict())
    )  # fmt: skip


def _median(values: Column | str, series: WindowSpec, rows: int) -> Column:
    return F.percentile(values, 0.5).over(series.rowsBetween(-rows, -1))


def _verdict() -> list[Column]:
    expected, reach = F.col("expected"), F.col("reach")
    is_judged = expected.isNotNull()
    low, high = expected - reach, expected + reach
    is_unusual = is_judged & (F.abs(F.col("revenue") - expected) > reach)
    score = MAD_OF_NORMAL * (F.col("revenue") - expected) / F.col("spread")
    amounts = (
        (expected, A.expected_amount),
        (F.when(is_judged, low), A.low_amount),
        (F.when(is_judged, high), A.high_amount),
    )
    return [
        *(F.round(amount, 4).cast(SUM.spark).alias(name) for amount, name in amounts),
        F.coalesce(score, F.lit(0.0)).alias(A.score),
        F.coalesce(is_unusual, F.lit(False)).alias(A.is_anomaly),
        F.when(is_judged, F.lit("robust_z")).otherwise("too_little_history").alias(A.rule),
        F.when(is_judged, _reason(low, high)).otherwise(_too_early()).alias(A.reason),
    ]


def _reason(low: Column, high: Column) -> Column:
    weekday, usual = F.date_format(A.sold_on, "EEEE"), F.format_string("%s to %s", _written(low), _written(high))
    verdict = F.when(F.col("revenue") > high, "above").when(F.col("revenue") < low, "below").otherwise("within")
    return F.format_string(
        "%s %s is %s what is usual for this seller on a %s: %s; about %s was to be expected.",
        _written(F.col("revenue")), F.col(A.currency_code), verdict, weekday, usual, _written(F.col("expected")),
    )  # fmt: skip


def _too_early() -> Column:
    return F.format_string(
        "Not judged: %d earlier days with sales are known, %d are needed.", F.col("earlier_days"), F.lit(NEEDED_DAYS)
    )


def _written(amount: Column) -> Column:
    return F.format_number(amount, 2)
