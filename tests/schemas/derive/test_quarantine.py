"""The Spark SQL that refuses events, made from their contracts: as text, and asked of a few values in one go."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from schemas.contract import col, contract, event, events, record
from schemas.contract.rules import RowRule, at_least, min_items, not_empty
from schemas.contract.types import COUNT, DAY, FLAG, ID, INSTANT, LIST, MONEY, NUMBER, TEXT
from schemas.derive import quarantine
from tests.support.sample_contracts import SAMPLE_EVENT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@record()
class Bit:
    """A part with fields that may be left out."""

    bit_id = col(ID, "The bit.", not_empty())
    price_kzt = col(MONEY, "What it costs.", at_least(0), optional=True)
    made_on = col(DAY, "When it was made.", optional=True)


@event("loose", topic="loose", partitions=1, max_bytes=400,
       rules={"": [RowRule("it_adds_up", "total must be count and one", "total = count + 1")]})  # fmt: skip
class Loose:
    """An event most of whose fields may be left out."""

    count = col(COUNT, "How many.")
    total = col(COUNT, "One more.")
    seen_at = col(INSTANT, "When it was seen.", optional=True)
    share = col(NUMBER, "Share.", optional=True)
    pieces_count = col(COUNT, "Pieces.", at_least(1), optional=True)
    is_new = col(FLAG, "Whether it's new.", optional=True)
    note = col(TEXT, "Anything.", optional=True)
    price_kzt = col(MONEY, "Price.", optional=True)
    bits = col(LIST, "What it's made of.", min_items(1), items=Bit)


LOOSE = contract(Loose)
OK: dict[str, Any] = {"count": 1, "total": 2, "bits": [{"bit_id": "b"}]}


def test_money_and_what_may_be_left_out_are_parsed_as_text() -> None:
    assert quarantine.parse_ddl(LOOSE) == (
        "struct<`count`: bigint, `total`: bigint, `seen_at`: string, `share`: string, `pieces_count`: string, "
        "`is_new`: string, `note`: string, `price_kzt`: string, "
        "`bits`: array<struct<`bit_id`: string, `price_kzt`: string, `made_on`: string>>>"
    )


def test_what_must_be_there_is_parsed_with_its_type() -> None:
    assert quarantine.parse_ddl(SAMPLE_EVENT).startswith(
        "struct<`sample_id`: string, `taken_at`: timestamp, `count`: bigint, "
    )


def test_a_reason_is_looked_for_in_the_text_as_it_was_written() -> None:
    assert quarantine.text_ddl(SAMPLE_EVENT) == (
        "`sample_id` string, `taken_at` string, `count` string, `bin_code` string, `colour_code` string, "
        "`parts` array<string>, `_corrupt` string"
    )


def test_the_question_asked_of_every_event_names_each_rule_once() -> None:
    """It is the hot path: a rule that is asked twice, or a text that is built, costs all events."""
    requests = quarantine.is_broken(SAMPLE_EVENT)

    assert requests.split("\n OR ") == [
        "(value IS NULL)",
        "(octet_length(value) > 1000000)",
        "(NOT is_valid_utf8(CAST(value AS STRING)))",
        "(coalesce(NOT ((ascii(e.`sample_id`) BETWEEN 33 AND 126 OR e.`sample_id` RLIKE '(?U)\\\\S') "
        "AND length(e.`sample_id`) <= 20), true))",
        "(coalesce(NOT (e.`taken_at` >= TIMESTAMP '2000-01-01 00:00:00Z'), true))",
        "(e.`count` IS NULL)",
        "(coalesce(NOT ((ascii(e.`bin_code`) BETWEEN 33 AND 126 OR e.`bin_code` RLIKE '(?U)\\\\S') "
        "AND e.`bin_code` RLIKE '^(?:[0-9]{12})\\\\z'), true))",
        "(coalesce(NOT (e.`colour_code` IN ('red', 'blue')), false))",
        "(coalesce(NOT (size(e.`parts`) >= 1), true))",
        "(coalesce(NOT (e.`count` > 0), true))",
    ]
    assert "concat" not in requests


def test_an_event_is_parsed_once_and_its_parts_with_it() -> None:
    """And once more only where it is broken, for a whole number may be written 1.0."""
    read = quarantine.read_event(SAMPLE_EVENT)
    assert read.partition("CASE WHEN (e.`")[0].count("from_json") == 1
    assert read.count("from_json") == 2


def test_only_a_contract_in_which_a_null_could_hide_something_pays_for_finding_out() -> None:
    required = [e for e in events() if all(not c.optional or c.type.spark == "string" for c in e.columns)]

    assert contract(Loose) not in required
    for known in required:
        read = quarantine.read_event(known)
        hiding = any(
            i.optional and i.type.spark != "string" for c in known.columns if c.items for i in c.items.columns
        )  # fmt: skip
        assert ("_unread" in read) == hiding, known.name


def test_a_column_whose_name_begins_as_anothers_is_not_mistaken_for_it() -> None:
    """`total` and `to`, say: names in a rule are replaced as whole words."""
    rule = RowRule("r", "s", "count > 0 AND pieces_count > 0 AND note = 'count'")

    bound = quarantine._bound(rule, LOOSE, "e.")

    assert bound.startswith("e.`count` > 0 AND e.`pieces_count` > 0 AND ")


def test_no_two_faults_share_a_rule() -> None:
    """They could not be told apart in the table. An element's cases stand three times in the one expression."""
    for known in (SAMPLE_EVENT, LOOSE, *events()):
        times = Counter(re.findall(r"'rule', '([^']+)'", quarantine.reason(known)))
        lists = [c for c in known.columns if c.items is not None]
        own = {f"{c}.{rule}" for c in lists for rule in ("required", *(r.name.partition("(")[0] for r in c.rules))}
        inner = {r for r in times if any(r.startswith(f"{c}.") for c in lists)} - own

        assert times == {r: 3 if r in inner else 1 for r in times}, known.name


# the event, then the rule that it breaks and its sentence; both empty where it is taken
CASES: list[tuple[str, bytes | None, str, str]] = [
    ("least", json.dumps(OK).encode(), "", ""),
    ("all", json.dumps(OK | {"seen_at": "2026-01-31T09:30:00Z", "share": 0.5, "pieces_count": 3, "is_new": False,
                             "note": "n", "price_kzt": "1.25",
                             "bits": [{"bit_id": "b", "price_kzt": 2.5, "made_on": "2026-01-31"}]}).encode(), "", ""),
    ("nulls", json.dumps(OK | {"seen_at": None, "share": None, "pieces_count": None, "is_new": None, "note": None,
                               "price_kzt": None}).encode(), "", ""),
    ("time", json.dumps(OK | {"seen_at": "soon"}).encode(), "seen_at.type",
     'seen_at must be a time with its zone, like 2026-01-31T09:30:00Z; found "soon"'),
    ("share", json.dumps(OK | {"share": "half"}).encode(), "share.type", 'share must be a number; found "half"'),
    ("count", json.dumps(OK | {"pieces_count": 1.5}).encode(), "pieces_count.type",
     'pieces_count must be a whole number; found "1.5"'),
    ("count's rule", json.dumps(OK | {"pieces_count": 0}).encode(), "pieces_count.at_least",
     'pieces_count must be at least 1; found "0"'),
    ("flag", json.dumps(OK | {"is_new": "perhaps"}).encode(), "is_new.type",
     'is_new must be true or false; found "perhaps"'),
    ("money", json.dumps(OK | {"price_kzt": "1.23456"}).encode(), "price_kzt.type",
     'price_kzt must be an amount of at most 14 digits before and 4 after the point; found "1.23456"'),
    ("an element's money", json.dumps(OK | {"bits": [{"bit_id": "a"}, {"bit_id": "b", "price_kzt": "dear"}]}).encode(),
     "bits.price_kzt.type",
     'line 2: price_kzt must be an amount of at most 14 digits before and 4 after the point; found "dear"'),
    ("an element's day", json.dumps(OK | {"bits": [{"bit_id": "b", "made_on": "2026-02-30"}]}).encode(),
     "bits.made_on.type", 'line 1: made_on must be a day, YYYY-MM-DD; found "2026-02-30"'),
    ("a rule over two fields", json.dumps(OK | {"total": 3}).encode(), "it_adds_up",
     'total must be count and one; found "count 1, total 3"'),
    ("a long text is shortened", json.dumps(OK | {"share": "ж" * 81}, ensure_ascii=False).encode(), "share.type",
     f'share must be a number; found "{"ж" * 80}…"'),
    ("as large as can be", json.dumps(OK | {"note": "x" * (400 - 12 - len(json.dumps(OK)))}).encode(), "", ""),
    ("one byte larger", json.dumps(OK | {"note": "x" * (401 - 12 - len(json.dumps(OK)))}).encode(), "record.oversized",
     "the event has 401 bytes; at most 400 are taken"),
]  # fmt: skip


@pytest.fixture(scope="module")
def answers(spark: SparkSession) -> list[tuple[bool, str, str]]:
    """Whether each event is broken, and the rule and sentence that are given, whether it is or not."""
    frame = spark.createDataFrame([(n, value) for n, (_, value, _, _) in enumerate(CASES)], "n int, value binary")
    text = F.from_json(
        F.col("value").cast("string"), quarantine.text_ddl(LOOSE), {"columnNameOfCorruptRecord": "_corrupt"}
    )
    read = frame.withColumns({
        "e": F.expr(quarantine.read_event(LOOSE)), "partly": F.expr(quarantine.read_leniently(LOOSE)), "t": text,
    })  # fmt: skip
    requests = read.select(
        "n", F.expr(quarantine.is_broken(LOOSE)).alias("broken"), F.expr(quarantine.reason(LOOSE)).alias("why")
    )
    return [(row["broken"], row["why"]["rule"], row["why"]["sentence"]) for row in requests.orderBy("n").collect()]


@pytest.mark.parametrize("case", range(len(CASES)), ids=[name for name, *_ in CASES])
def test_what_is_there_and_cannot_be_read_is_never_taken_for_missing(
    answers: list[tuple[bool, str, str]], case: int
) -> None:
    _, _, rule, sentence = CASES[case]
    broken, actual, output = answers[case]

    assert broken == bool(rule)
    if rule:
        assert (actual, output) == (rule, sentence)


def test_what_breaks_no_rule_has_no_reason_but_the_last(answers: list[tuple[bool, str, str]]) -> None:
    """Both questions agree: `reason` falls through to its last word only where `is_broken` says no."""
    assert {rule for broken, rule, _ in answers if not broken} == {"record.unreadable"}
    assert "record.unreadable" not in {rule for broken, rule, _ in answers if broken}
