"""The eleven flags on small worlds, each result computed by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jobs.procurement.flags.flag import Common
from jobs.procurement.flags.process import Process, process_of
from jobs.procurement.flags.r003 import R003
from jobs.procurement.flags.r018 import R018
from jobs.procurement.flags.r024 import R024
from jobs.procurement.flags.r025 import R025
from jobs.procurement.flags.r028 import R028
from jobs.procurement.flags.r030 import R030
from jobs.procurement.flags.r035 import R035
from jobs.procurement.flags.r036 import R036
from jobs.procurement.flags.r038 import R038
from jobs.procurement.flags.r048 import R048
from jobs.procurement.flags.r058 import R058
from tests.support.flags import award, bid, concluded, contest, raised

FLAGGED = {("OCID", "F"): 1.0}
TWO = (bid("valid", "W", 1), bid("valid", "L", 2))


def prices(*losing: float) -> list[Process]:
    """W wins each for 1; L asks these. The first is called F."""
    return [
        contest("F" if not n else f"{n}", bid("valid", "W", 1), bid("valid", "L", amount))
        for n, amount in enumerate(losing)
    ]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-15T23:59:59Z", FLAGGED),
        ("2026-01-01T00:00:00Z", "2026-01-16T00:00:00Z", {}),
        # 15 days less an hour, for the clocks differ.
        ("2026-01-01T00:00:00+05:00", "2026-01-16T00:00:00+06:00", FLAGGED),
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", FLAGGED),
        ("2026-01-01", "2026-01-02", {}),
        ("2026-01-01T00:00:00", "2026-01-02T00:00:00", {}),
        (None, "2026-01-02T00:00:00Z", {}),
    ],
)
def test_r003_counts_whole_days(start: str | None, end: str, expected: dict[tuple[str, str], float]) -> None:
    assert raised(R003(), [Process("F", period_start=start, period_end=end)]) == expected


def test_r003_knows_methods() -> None:
    process = Process(
        "F", method="open", method_details="emergency", period_start="2026-01-01T00:00:00Z",
        period_end="2026-01-11T12:00:00Z",
    )  # fmt: skip
    assert raised(R003(procurement_method_details={"emergency": 10}), [process]) == {}
    assert raised(R003(procurement_method_details={"emergency": 11}), [process]) == FLAGGED
    assert raised(R003(procurement_methods=frozenset({"direct"})), [process]) == {}
    assert raised(R003(procurement_methods=frozenset({"open"})), [process]) == FLAGGED


def test_r018_is_about_competitive_methods() -> None:
    one = Process("F", method="open", tenderer_count=1)
    assert raised(R018(), [one]) == FLAGGED
    assert raised(R018(), [replace(one, method="direct")]) == {}
    assert raised(R018(), [replace(one, method=None)]) == {}
    assert raised(R018(frozenset()), [replace(one, method=None)]) == FLAGGED
    assert raised(R018(), [replace(one, tenderer_count=2)]) == {}


def test_r024_finds_a_price_that_is_unusually_close() -> None:
    # Differences 1, 99, 99, 99, 99: Q1 = 1 + 2/3 * 98 = 66.33, Q3 = 99, fence = 66.33 - 1.5 * 32.67 = 17.33.
    results, limits = concluded(R024(), prices(2, 100, 100, 100, 100))
    assert results == {("OCID", "F"): 1.0, ("Tenderer", "W"): 0.0, ("Tenderer", "L"): 0.0}
    assert limits == pytest.approx({"q1": 66.33333333333333, "q3": 99.0, "lower_fence": 17.33333333333333})
    # The threshold is meant inclusively, and then no quartiles are computed.
    results, limits = concluded(R024(threshold=1.0), prices(2, 100))
    assert (results[("OCID", "F")], limits) == (1.0, {"lower_fence": 1.0})


def test_r024_is_not_computed_where_most_prices_are_equal() -> None:
    results, limits = concluded(R024(), prices(1, 1, 1, 1, 100))
    # Q1 = 0, Q3 = 1/3 * 99 = 33: the fence is below zero, where no difference is.
    assert (results, limits["q1"], limits["lower_fence"]) == ({}, 0.0, pytest.approx(-49.5))


@pytest.mark.parametrize(
    "process",
    [
        contest("F", bid("valid", "W", 2), bid("valid", "L", 1)),
        contest("F", bid("valid", "W", 1), bid("disqualified", "L", 2)),
        contest("F", bid("valid", "W", 1), bid("valid", ("L", "M"), 2)),
        contest("F", bid("valid", "W", 1), bid("valid", "L", 2, currency="EUR")),
        contest("F", bid("valid", "W", 1), bid("valid", "L")),
        contest("F", bid("valid", "W", 0), bid("valid", "L", 1)),
        Process("F", bids=TWO, awards=(award("W"), award("L"))),
        Process("F", bids=TWO, awards=(award("W", "L"),)),
        Process("F", bids=TWO, awards=(award("W"), award("X", status="pending"))),
        contest("F", bid("valid", "W", 1), bid("valid", "L", 2), method_details="Random Selection"),
    ],
)  # fmt: skip
def test_bids_that_cannot_be_compared_are_left_out(process: Process) -> None:
    common = Common("USD", no_price_comparison_procurement_methods=frozenset({"Random Selection"}))
    assert raised(R024(threshold=100.0), [process], common) == {}
    assert raised(R058(threshold=0.5), [process], common) == {}


def test_of_several_bids_of_one_the_lowest_counts_and_earlier_attempts_do_not() -> None:
    process = Process(
        "F", bids=(bid("valid", "W", 9), bid("valid", "W", 4), bid("valid", "L", 9), bid("valid", "L", 6)),
        awards=(award("L", status="unsuccessful"), award("W"), award("X", status="cancelled")),
    )  # fmt: skip
    assert raised(R058(threshold=0.5), [process]) == {("OCID", "F"): 0.5, ("Tenderer", "W"): 0.0}


def test_r058_finds_an_unusual_discount() -> None:
    # Differences 99, 1, 1, 1, 1: Q1 = 1, Q3 = 1 + 1/3 * 98 = 33.67, fence = 33.67 + 1.5 * 32.67 = 82.67.
    results, limits = concluded(R058(), prices(100, 2, 2, 2, 2))
    assert results == {("OCID", "F"): 99.0, ("Tenderer", "W"): 0.0}
    assert limits == pytest.approx({"q1": 1.0, "q3": 33.666666666666664, "upper_fence": 82.66666666666666})
    assert raised(R058(), prices(1, 1, 1, 1, 1)) == {}


def test_r025_counts_a_tenderer_once_a_process() -> None:
    # F bids in eight processes and wins one; seven others bid once and win.
    processes = [contest("0", bid("valid", "F"), bid("valid", "F"), winner="F")]
    processes += [contest(f"{n}", bid("valid", "F"), bid("valid", f"{n}"), winner=f"{n}") for n in range(1, 8)]
    results, limits = concluded(R025(threshold=0.5), processes)
    assert results == {("Tenderer", "F"): 0.125}
    assert limits == {"upper_fence": 1.0, "lower_fence": 0.5}
    # By the fence itself: the shares are 0.125 and seven times 1, so it is 1, and whoever wins always is at it too.
    results, limits = concluded(R025(), processes)
    assert (len(results), limits) == (8, {"q1": 1.0, "q3": 1.0, "upper_fence": 1.0, "lower_fence": 1.0})
    assert raised(R025(threshold=0.1), processes) == {}


def test_r028_compares_who_bids_and_not_how_often() -> None:
    same = Process("F", bids=(bid("valid", "A", 5), bid("disqualified", "B", 5), bid("valid", "C", 6)))
    assert raised(R028(), [same]) == FLAGGED | {("Tenderer", "A"): 1.0, ("Tenderer", "B"): 1.0}
    assert raised(R028(), [Process("F", bids=(bid("valid", "A", 5), bid("valid", "A", 5)))]) == {}
    assert raised(R028(), [Process("F", bids=(bid("valid", "A", 5), bid("withdrawn", "B", 5)))]) == {}
    assert raised(R028(), [Process("F", bids=(bid("valid", "A", 5), bid("valid", "B", 5, currency="EUR")))]) == {}
    joint = Process("F", bids=(bid("valid", ("A", "B"), 5), bid("valid", "A", 5)))
    assert raised(R028(), [joint]) == FLAGGED | {("Tenderer", "A"): 1.0, ("Tenderer", "B"): 1.0}


def test_r030_compares_dates_as_they_are_written() -> None:
    late = bid("valid", "W", date="2026-01-02T00:00:00Z")
    process = contest("F", late, bid("valid", "L", date="2026-01-03T00:00:00Z"), period_end="2026-01-01T00:00:00Z")
    assert raised(R030(), [process]) == FLAGGED | {("Tenderer", "W"): 1.0}
    assert raised(R030(), [replace(process, period_end="2026-01-02T00:00:00Z")]) == {}
    assert raised(R030(), [replace(process, awards=(award("W", status="cancelled"),))]) == {}
    assert raised(R030(), [replace(process, period_end=None)]) == {}


def test_r035_counts_the_others_who_were_disqualified() -> None:
    out = [bid("disqualified", "A"), bid("disqualified", "B"), bid("disqualified", "A"), bid("disqualified", "W")]
    process = contest("F", bid("valid", "W"), *out)
    assert raised(R035(), [process]) == {("OCID", "F"): 2.0, ("Tenderer", "W"): 0.0}
    assert raised(R035(threshold=3), [process]) == {}
    assert raised(R035(threshold=0), [contest("F", bid("valid", "W"))]) == {}
    assert raised(R035(), [contest("F", bid("valid", "W"), bid("valid", "V"), *out)]) == {}
    assert raised(R035(), [replace(process, awards=(award("W"), award("X", status="pending")))]) == {}


def test_r036_finds_the_lowest_bid_disqualified() -> None:
    process = contest("F", bid("disqualified", "L", 1), bid("valid", "W", 2))
    assert raised(R036(), [process]) == FLAGGED
    # Of equal amounts the first bid counts.
    assert raised(R036(), [contest("F", bid("valid", "W", 1), bid("disqualified", "L", 1))]) == {}
    assert raised(R036(), [contest("F", bid("disqualified", "L", 1), bid("valid", "W", 1))]) == FLAGGED
    assert raised(R036(), [contest("F", bid("disqualified", "L", 1), bid("pending", "W", 2))]) == {}
    assert raised(R036(), [contest("F", bid("disqualified", "L", 1, currency="EUR"), bid("valid", "W", 2))]) == {}
    assert raised(R036(), [replace(process, awards=())]) == {}


def test_r038_takes_each_group_by_itself() -> None:
    first = Process("0", buyer_id="B", bids=(bid("valid", "W"), bid("disqualified", "D")))
    others = [Process(f"{n}", buyer_id=f"{n}", bids=(bid("valid", "W"),)) for n in range(1, 5)]
    # Only B got two bids, only W handed in two.
    results, limits = concluded(R038(), [first, *others])
    assert results == {("Buyer", "B"): 0.5}
    assert limits == {
        "Buyer_q1": 0.5, "Buyer_q3": 0.5, "Buyer_upper_fence": 0.5,
        "Tenderer_q1": 0.0, "Tenderer_q3": 0.0, "Tenderer_upper_fence": 0.0,
    }  # fmt: skip
    results, limits = concluded(R038(0.5, 1, 3), [replace(first, organiser_id="P")])
    assert results == {("Tenderer", "D"): 1.0}
    assert limits == {"Tenderer_upper_fence": 0.5}
    results, _ = concluded(R038(0.5), [replace(first, organiser_id="P")])
    assert results == {("Buyer", "B"): 0.5, ("ProcuringEntity", "P"): 0.5}


def test_r048_counts_kinds_of_items() -> None:
    varied = Process("0", awards=(award("F", codes=["3011", "3012", "3111"]), award("A", "B", codes=["99"])))
    others = [Process(f"{n}", awards=(award(f"{n}", codes=["3011", "3099"]),)) for n in range(1, 5)]
    # Kinds 2, 1, 1, 1, 1: Q1 = 1, Q3 = 1 + 1/3, fence = 1.33 + 0.5 = 1.83.
    results, limits = concluded(R048(minimum_contracting_processes=1), [varied, *others])
    assert results == {("Tenderer", "F"): 2.0}
    assert limits == pytest.approx({"q1": 1.0, "q3": 1.3333333333333333, "upper_fence": 1.8333333333333333})
    assert raised(R048(), [varied, *others]) == {}
    assert raised(R048(digits=4, threshold=3, minimum_contracting_processes=1), [varied]) == {("Tenderer", "F"): 3.0}


def test_a_row_of_silver_becomes_a_process() -> None:
    row = {
        "process_id": "o", "published_status_code": "complete", "published_method_code": "open", "method_details": None,
        "period_start_text": "a", "period_end_text": "b", "published_tenderer_count": 2.0, "published_buyer_id": "B",
        "published_organiser_id": None, "bid_count": 1.0,
        "bids": '[{"status":"valid","date":null,"amount":"0.1","currency":"USD","tenderers":["W",null]}]',
        "awards": '[{"status":"active","suppliers":["W"],"classifications":["30"]}]',
    }  # fmt: skip
    process = process_of(row)
    assert (process.bids, process.awards) == ((bid("valid", ("W", None), 0.1),), (award("W", codes=["30"]),))  # type: ignore[arg-type]
    assert (process.tenderer_count, process.single_supplier, process.has_all_bids) == (2, "W", True)
    assert (process.bids[0].tenderer, process.bids[0].tenderer_ids) == (None, {"W"})
    too_large = process_of(row | {"bids": '[{"amount":"1e400"},{"amount":"0"},{"amount":null}]'})
    assert [one.amount for one in too_large.bids] == [None, 0.0, None]
    assert not process_of(row | {"bids": None}).has_all_bids
    assert process_of(row | {"bids": None, "bid_count": 0}).has_all_bids
