"""Views for day, week and month: one declaration, a view a period."""

from __future__ import annotations

import pytest

from schemas.contract import Contract, col, contract, table
from schemas.contract.period_views import PERIOD, Join, period_views
from schemas.contract.types import CODE, DAY, SUM


@table("gold.weather_daily", day="seen_on")
class WeatherDaily:
    """One row per place and day."""

    place_code = col(CODE, "The place.", key=True)
    seen_on = col(DAY, "The day.", key=True)
    unit_code = col(CODE, "The unit.")
    rain_amount = col(SUM, "The rain.")


@table("gold.weather_periods")
class WeatherPeriods:
    """One row per place and period; an empty place_code is all places together."""

    period_kind = col(CODE, "day, week or month.", key=True)
    period_started_on = col(DAY, "The first day.", key=True)
    place_code = col(CODE, "The place.", key=True)
    rain_amount = col(SUM, "The rain.")


@table("gold.weather_places")
class Places:
    """One row per place."""

    place_code = col(CODE, "The place.", key=True)


def statements(of: type, **options: object) -> dict[str, str]:
    views = period_views("gold.rain_by_{period}", "How much rain fell {in_each}?", of=of, **options)  # type: ignore[arg-type]
    return {view.name.rpartition("_")[2]: view.statement for view in views}


def test_a_question_names_its_period_and_says_when_weeks_begin() -> None:
    plain = period_views("gold.rain_by_{period}", "How much rain {in_each}?", of=WeatherDaily, by=[PERIOD])
    noted = period_views("gold.rain_by_{period}", "How much? (a row a {period})", of=WeatherDaily, by=[PERIOD])

    assert [view.question for view in plain] == [
        "How much rain on each day?", "How much rain in each week? (weeks begin on Monday)",
        "How much rain in each month?",
    ]  # fmt: skip
    assert noted[1].question == "How much? (a row a week; weeks begin on Monday)"
    assert [view.name for view in noted] == ["gold.rain_by_day", "gold.rain_by_week", "gold.rain_by_month"]


def test_days_are_added_up_and_a_code_is_not() -> None:
    result = statements(WeatherDaily, by=["place_code", PERIOD], measures=["rain_amount", "unit_code"], day="seen_on")

    assert result["day"] == (
        "CREATE OR REPLACE VIEW gold.rain_by_day AS\nSELECT\n    t.place_code AS place_code,\n"
        "    t.seen_on AS seen_on,\n    sum(t.rain_amount) AS rain_amount,\n    any(t.unit_code) AS unit_code\n"
        "FROM gold.weather_daily AS t\nGROUP BY place_code, seen_on\nORDER BY place_code, seen_on"
    )
    assert "toDate32(toMonday(t.seen_on)) AS week_on" in result["week"]
    assert result["month"].endswith("GROUP BY place_code, month_on\nORDER BY place_code, month_on")


def test_a_table_of_periods_is_filtered_and_its_totals_are_kept_apart() -> None:
    one = statements(WeatherPeriods, by=["place_code", PERIOD], measures=["rain_amount"], totals=["place_code"])
    together = statements(WeatherPeriods, by=[PERIOD], measures=["rain_amount"], totals=["place_code"])

    assert "t.rain_amount AS rain_amount" in one["week"]
    assert "WHERE t.period_kind = 'week' AND t.place_code != ''\nORDER BY place_code, week_on" in one["week"]
    assert "WHERE t.period_kind = 'day' AND t.place_code = ''\nORDER BY sold_on" in together["day"]


def test_rows_that_a_view_does_not_tell_apart_are_added_up() -> None:
    result = statements(WeatherPeriods, by=[PERIOD], measures=["rain_amount"])

    assert "sum(t.rain_amount) AS rain_amount" in result["day"]
    assert "GROUP BY sold_on" in result["day"]


def test_a_joined_table_stands_beside_the_rows_after_they_are_added_up() -> None:
    result = statements(
        WeatherDaily, by=["place_code", PERIOD], measures=["rain_amount"], join=Join(Places, on=["place_code"]),
        computed={"is_known": "j.place_code != ''"}, order=["is_known", PERIOD, "place_code", "rain_amount"],
    )["week"]  # fmt: skip

    assert result.startswith(
        "CREATE OR REPLACE VIEW gold.rain_by_week AS\nSELECT\n    j.place_code != '' AS is_known,\n"
        "    t.week_on AS week_on,"
    )
    assert "\n) AS t\nLEFT JOIN gold.weather_places AS j\n    ON j.place_code = t.place_code\nORDER BY" in result


@pytest.mark.parametrize("option", ["by", "measures", "totals"])
def test_a_column_that_the_table_has_not_is_refused(option: str) -> None:
    with pytest.raises(KeyError, match=r"gold\.weather_daily has no column 'sun'"):
        statements(WeatherDaily, **{"by": [PERIOD], option: ["sun"]})


def test_a_table_without_days_and_periods_is_refused() -> None:
    known: Contract = contract(Places)

    with pytest.raises(ValueError, match=f"gold.rain_by_day: {known.name} has neither a day nor periods"):
        statements(Places, by=[PERIOD])
