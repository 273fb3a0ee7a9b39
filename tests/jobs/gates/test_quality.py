"""How checks are judged."""

from __future__ import annotations

from datetime import UTC, date, datetime
from unittest.mock import MagicMock

import pytest

from jobs.gates.quality import Finding, Resolved, count_finding, looked_at, record, reference_finding, verdict
from schemas.contract import find
from schemas.contract.references import references

TENDER, STATUS = (
    next(r for r in references(find("silver.procurement_lots")) if r.column == column)
    for column in ("tender_id", "status_code")
)


def judged(broken: int, there: int = 10, named: int = 200) -> Finding:
    actual = reference_finding(Resolved(TENDER, "a", named, broken, there, "lot_id 1: tender_id 2"), 5.0)
    assert actual is not None
    return actual


@pytest.mark.parametrize(("broken", "outcome"), [(0, "passed"), (1, "warned"), (10, "warned"), (11, "stopped")])
def test_references_to_nothing_warn_and_beyond_what_is_tolerated_stop(broken: int, outcome: str) -> None:
    assert judged(broken).outcome == outcome


def test_a_finding_says_what_was_wanted_and_seen() -> None:
    actual = judged(11)

    assert str(actual) == (
        "silver.procurement_lots: every tender_id must be a silver.procurement_tenders.tender_id; 11 of 200 are none, "
        "for example lot_id 1: tender_id 2"
    )
    assert (actual.check_name, actual.seen_value, actual.wanted_value) == ("tender_id.resolves", "5.5", "<= 5")
    assert (actual.row_count, actual.broken_count) == (200, 11)


def test_a_register_that_was_not_collected_is_said_and_stops_nothing() -> None:
    actual = judged(200, there=0)

    assert actual.outcome == "warned"
    assert actual.sentence.endswith("; the collection has no row of it")


def test_codes_of_a_collection_without_dictionaries_are_not_judged() -> None:
    assert reference_finding(Resolved(STATUS, "a", 5, 5, 0), 5.0) is None


def test_without_references_none_is_broken() -> None:
    assert judged(0, named=0).seen_value == "0"


@pytest.mark.parametrize(
    ("now", "before", "outcome", "sentence"),
    [
        (5, None, "passed", "5 rows, counted for the first time"),
        (950, 1000, "passed", "950 rows, 1,000 at the check before"),
        (949, 1000, "stopped", "949 rows, 1,000 at the check before: 5.1 % are gone"),
        (0, 1, "stopped", "0 rows, 1 at the check before: all of them are gone"),
        (0, 0, "passed", "0 rows, 0 at the check before"),
        (2_000, 1000, "passed", "2,000 rows, 1,000 at the check before"),
    ],
)
def test_no_table_shrinks_by_more_than_is_tolerated(
    now: int, before: int | None, outcome: str, sentence: str
) -> None:  # fmt: skip
    actual = count_finding("a", "silver.procurement_lots", now, before, 5.0)

    assert (actual.outcome, actual.sentence, actual.row_count) == (outcome, sentence, now)


def test_all_may_be_gone_only_by_hand() -> None:
    assert count_finding("a", "t", 0, 3, 100.0).outcome == "stopped"
    accepted = count_finding("a", "t", 0, 3, 5.0, accept=True)

    assert (accepted.outcome, accepted.sentence) == ("passed", "0 rows, 3 at the check before: accepted by hand")


def test_the_worst_outcome_decides() -> None:
    assert verdict([]) == "passed"
    assert verdict([judged(0), judged(1)]) == "warned"
    assert verdict([judged(1), judged(11), judged(0)]) == "stopped"


@pytest.mark.parametrize(
    ("table", "day", "looked"),
    [
        ("gold.purchases_hourly", None, "all"),
        ("gold.purchases_hourly", date(2026, 1, 5), "2026-01-05"),
        ("gold.purchases_customers", date(2026, 1, 5), "all"),
    ],
)
def test_what_was_looked_at_is_kept_with_each_finding(table: str, day: date | None, looked: str) -> None:
    client = MagicMock()
    finding = Finding("", table, "key", "a, b must name one row", "passed", 5)
    record(client, "run1", datetime(2026, 1, 6, tzinfo=UTC), "purchases", [finding], looked_at(find(table), day))

    (_, rows), named = client.insert.call_args
    assert dict(zip(named["column_names"], rows[0], strict=True))["day"] == looked
