from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

import pytest

from bench.rival import refine
from bench.run import setting
from bench.traffic import Mix, Pace, paced_record, records, tails


@pytest.mark.parametrize("count", [1, 50, 51, 99, 100, 151, 1_000, 1_234])
def test_the_mix_says_what_is_in_the_topic(count: int) -> None:
    mix = Mix(count)
    result = list(records(mix))
    ids = Counter(key for key, _, _ in result)
    assert len(result) == count
    assert sum(n - 1 for n in ids.values()) == mix.copies
    assert sum(b'"was":' in value for _, value, _ in result) == mix.refused
    assert mix.accepted + mix.refused + mix.copies == count


def test_each_broken_record_is_still_json_and_breaks_one_thing() -> None:
    broken = [json.loads(value) for _, value, _ in records(Mix(400)) if b'"was":' in value]
    lines = [event["lines"][0] for event in broken]
    assert [line["quantity"] for line in lines].count(0) == 1
    assert [line["unit_price"] for line in lines].count(-1) == 1
    assert [event["currency_code"] for event in broken].count("XXX") == 1
    assert [event["seller_id"] for event in broken].count("") == 1


def test_a_paced_event_carries_the_instant_it_is_due() -> None:
    pace = Pace("r", 1_000, 2.0, 1_767_225_600.0)
    key, value, headers = paced_record(pace, 1_500, tails())
    event = json.loads(value)
    assert pace.events == 2_000
    assert (key, headers[0]) == (b"r-1500", ("ce_id", b"r-1500"))
    assert datetime.fromisoformat(event["purchased_at"]).timestamp() == pytest.approx(pace.start + 1.5, abs=1e-6)
    assert event["lines"][0]["quantity"]


def test_the_rival_refuses_what_the_mix_broke() -> None:
    import polars as pl

    result = [(key, value) for key, value, _ in records(Mix(1_000))]
    bronze = pl.DataFrame(
        {
            "kafka_partition": [0] * len(result),
            "kafka_offset": range(len(result)),
            "ingested_at": pl.Series([datetime(2026, 1, 1)] * len(result), dtype=pl.Datetime("us", "UTC")),  # noqa: DTZ001
            "event_id": [key.decode() for key, _ in result],
            "value": [value for _, value in result],
        }
    )
    silver, refused = refine(bronze)
    mix = Mix(1_000)
    assert (silver.height, refused.height) == (mix.records - mix.refused, mix.refused)
    assert set(refused["rule"]) == {
        "lines.quantity.not_zero", "lines.price_of_a_sale", "currency_code.one_of", "seller_id.not_empty",
    }  # fmt: skip
    by_hand = sum(int(q) * p for q, p in silver.select("quantity", "unit_price_amount").iter_rows())
    assert silver["line_amount"].sum() == by_hand
    assert silver["line_units"].sum() == int(by_hand * 10_000)


def test_a_setting_for_the_stream_must_exist() -> None:
    import click

    assert setting("lake_trigger_seconds=1") == ("SAUDA_LAKE_TRIGGER_SECONDS", "1")
    for wrong in ("lake_trigger_seconds", "nonsense=1"):
        with pytest.raises(click.BadParameter):
            setting(wrong)
