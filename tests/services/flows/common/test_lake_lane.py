"""The lake lane on real Delta: each event once, whatever comes twice, and whatever is done twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import pytest

from schemas.derive import live_tables
from standins.world.faults import OVERSIZED, POISONS
from streaming.core.compaction import compact
from streaming.core.lake import Counts, LakeLane
from streaming.core.lost_offsets import OffsetCheck, TopicPosition
from streaming.core.registry import domains
from tests.support.delta import Sent, Trial, bad, delta_session, good

pytestmark = [pytest.mark.services, pytest.mark.timeout(300), pytest.mark.beside]


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    """One set of tables; each test sends events with ids of its own."""
    (domain,) = (d for d in domains() if d.name == "purchases")
    with delta_session() as (spark, settings):
        yield Trial(spark, settings, domain)


@dataclass(frozen=True)
class Story:
    """Three batches, what each came to, and what then stands in the tables."""

    counts: list[Counts]
    silver: list[tuple[str, int]]
    refused: list[tuple[str, str]]

    def accepted(self, letter: str) -> list[tuple[str, int]]:
        return [(event_id, quantity) for event_id, quantity in self.silver if event_id[0] == letter]

    def quarantined(self, letter: str) -> list[str]:
        return [event_id for event_id, _ in self.refused if event_id[0] == letter]


@pytest.fixture(scope="module")
def story(trial: Trial) -> Story:
    """Told once, because each batch is a few commits; every test looks at the events of its own letter."""
    counts = [
        trial.write(good("a1"), good("a2", quantity=2), good("a2", quantity=7), bad("a3"), bad("a3"),
                    good("b1"), good("b2"), bad("b3"), bad("c1"), bad("c2"), bad("d1"), good("d1"), good("d1"),
                    good("e1")),
        trial.write(good("b2", quantity=5), bad("b3"), good("b4"), good("c1", quantity=3), good("c3"), bad("c2"),
                    bad("e1")),
        trial.write(good("c1", quantity=4), good("b4", quantity=4)),
    ]  # fmt: skip
    _, silver, quarantine = trial.tables
    return Story(
        counts,
        [(row["event_id"], row["quantity"]) for row in trial.rows(silver)],
        [(row["event_id"], row["rule"]) for row in trial.rows(quarantine)],
    )


def test_read_is_accepted_and_refused_and_copies(story: Story) -> None:
    assert [(counts, counts.duplicates) for counts in story.counts] == [
        (Counts(read=14, accepted=6, quarantined=5), 3),
        (Counts(read=7, accepted=3, quarantined=1), 3),
        (Counts(read=2, accepted=0, quarantined=0), 2),
    ]
    assert len(story.silver) == sum(counts.accepted for counts in story.counts)
    assert len(story.refused) == sum(counts.quarantined for counts in story.counts)
    assert {rule for _, rule in story.refused} == {"lines.min_items"}


def test_of_copies_within_a_batch_the_first_stays(story: Story) -> None:
    assert story.accepted("a") == [("a1", 1), ("a2", 2)]
    assert story.quarantined("a") == ["a3"]


def test_a_copy_in_a_later_batch_is_a_copy(story: Story) -> None:
    assert story.accepted("b") == [("b1", 1), ("b2", 1), ("b4", 1)]
    assert story.quarantined("b") == ["b3"]


def test_an_event_that_was_refused_may_come_again_mended(story: Story) -> None:
    assert story.accepted("c") == [("c1", 3), ("c3", 1)]
    assert story.quarantined("c") == ["c1", "c2"]


def test_an_event_refused_and_mended_within_one_batch_is_in_both_tables(story: Story) -> None:
    assert story.accepted("d") == [("d1", 1)]
    assert story.quarantined("d") == ["d1"]


def test_what_breaks_a_rule_under_an_id_that_was_accepted_is_told_and_not_hidden(story: Story) -> None:
    assert story.accepted("e") == [("e1", 1)]
    assert story.quarantined("e") == ["e1"]


def test_the_same_batch_again_changes_nothing(trial: Trial) -> None:
    batch, number = trial.batch(good("f1"), good("f1"), good("f2"), bad("f3"), Sent("f4", None))
    first = trial.lane.write(batch, number)
    before = [trial.rows(table) for table in trial.tables], trial.versions()

    assert trial.lane.write(batch, number) == first == Counts(read=5, accepted=2, quarantined=2)
    assert ([trial.rows(table) for table in trial.tables], trial.versions()) == before


@pytest.mark.usefixtures("story")
def test_a_batch_cut_off_after_bronze_is_completed(trial: Trial) -> None:
    bronze, silver, quarantine = trial.tables
    batch, number = trial.batch(good("a1"), good("g2"), good("g2"), bad("g3"))
    whole, cut_off = trial.lane._append, {silver.name, quarantine.name}

    class Cut(Exception):
        """Where a process would have died."""

    def until_cut(rows, contract, of):  # type: ignore[no-untyped-def]
        if contract.name in cut_off:
            raise Cut
        whole(rows, contract, of)

    for expected in ([0, 0], [1, 0]):
        trial.lane._append = until_cut  # type: ignore[method-assign]
        with pytest.raises(Cut):
            trial.lane.write(batch, number)
        trial.lane._append = whole  # type: ignore[method-assign]
        assert [len(trial.rows(t, ["g2", "g3"])) for t in (silver, quarantine)] == expected
        assert len(trial.rows(bronze, ["g2", "g3"])) == 3
        cut_off.discard(silver.name)

    assert trial.lane.refine(number) == Counts(read=4, accepted=1, quarantined=1)
    assert [len(trial.rows(t, ["g2", "g3"])) for t in (bronze, silver, quarantine)] == [3, 1, 1]


def chain(trial: Trial, number: str) -> list[str]:
    """What the lake lists of a purchase number: event>successor."""
    rows = trial.lane.table(trial.corrections).where(f"purchase_id = '{number}'").collect()
    return sorted(f"{row['event_id']}>{row['superseded_by_event_id']}" for row in rows)


def test_of_a_purchase_number_the_last_event_holds_and_all_stay_in_silver(trial: Trial) -> None:
    """Three versions over two batches, a return of the number, one that is refused, another seller's, and a resend."""
    _, silver, _ = trial.tables
    sent = [good("k1", purchase_id="k"), good("k2", quantity=2, purchase_id="k")]
    back = good("k4", quantity=-1, purchase_id="k")
    first = trial.write(*sent, back, good("k5", purchase_id="k", seller_id="another"))
    assert first == Counts(read=4, accepted=3, quarantined=0, superseded=1)
    assert chain(trial, "k") == ["k1>k2"]

    later = good("k3", quantity=3, purchase_id="k", purchased_at="2025-12-31T09:30:00Z", source="new export")
    second = trial.write(later, sent[0], good("k6", purchase_id="k", lines=[]))
    assert (second, second.duplicates) == (Counts(read=3, accepted=0, quarantined=1, superseded=1), 1)
    assert chain(trial, "k") == ["k1>k2", "k2>k3"]
    ids = [f"k{n}" for n in range(1, 7)]
    assert sorted(row["event_id"] for row in trial.rows(silver, ids)) == ["k1", "k2", "k3", "k4", "k5"]
    (row,) = trial.rows(trial.corrections, ["k2"])
    (old,), (new,) = trial.rows(silver, ["k2"]), trial.rows(silver, ["k3"])
    assert (row["event_hash"], row["is_return_document"]) == (old["event_hash"], False)
    assert (row["sold_on"], row["superseded_by_sold_on"]) == (old["sold_on"], new["sold_on"])
    assert (row["superseded_at"], row["arrival"]) == (new["ingested_at"], new["arrival"])
    places = ("superseded_by_partition", "superseded_by_offset"), ("kafka_partition", "kafka_offset")
    assert [row[c] for c in places[0]] == [new[c] for c in places[1]]
    assert (row["source"], row["superseded_by_source"]) == (None, "new export")


def test_a_batch_cut_off_between_silver_and_corrections_is_completed_by_another_process(trial: Trial) -> None:
    trial.write(good("l1", purchase_id="l"))
    batch, number = trial.batch(good("l2", purchase_id="l"), good(b"l\xff", purchase_id="l"))
    whole = trial.lane._append

    class Cut(Exception):
        """Where a process would have died."""

    def until_cut(rows, contract, of):  # type: ignore[no-untyped-def]
        if contract == trial.corrections:
            raise Cut
        whole(rows, contract, of)

    trial.lane._append = until_cut  # type: ignore[method-assign]
    with pytest.raises(Cut):
        trial.lane.write(batch, number)
    trial.lane._append = whole  # type: ignore[method-assign]
    assert chain(trial, "l") == []

    wanted = Counts(read=2, accepted=0, quarantined=0, superseded=2)
    another = LakeLane(trial.spark, trial.settings, trial.domain)
    assert another.refine(number) == trial.lane.write(batch, number) == wanted
    listed = trial.lane.table(trial.corrections).where("purchase_id = 'l'")
    assert sorted(bytes(row[0]) for row in listed.selectExpr("CAST(event_id AS BINARY)").collect()) == [b"l1", b"l2"]
    assert sorted(bytes(row[0]) for row in listed.selectExpr("CAST(superseded_by_event_id AS BINARY)").collect()) == [
        b"l2",
        b"l\xff",
    ]


def test_a_batch_that_is_not_there_or_is_empty_comes_to_nothing(trial: Trial) -> None:
    assert trial.lane.refine(10**9) == Counts(0, 0, 0)
    assert trial.write() == Counts(0, 0, 0)


def test_poison_of_every_kind_goes_to_quarantine_and_bronze_keeps_its_bytes(trial: Trial) -> None:
    bronze, silver, quarantine = trial.tables
    purchase = orjson.loads(good("x").value or b"")
    kinds = (*POISONS, OVERSIZED)
    sent = [Sent(f"h{n}", kind.make(purchase, datetime.now(UTC))) for n, kind in enumerate(kinds)]
    ids = [str(s.event_id) for s in sent]

    assert trial.write(*sent) == Counts(read=len(kinds), accepted=0, quarantined=len(kinds))
    assert [row["rule"] for row in trial.rows(quarantine, ids)] == [kind.rule for kind in kinds]
    kept = [row["value"] for row in trial.rows(bronze, ids)]
    assert [bytes(v) if v is not None else None for v in kept] == [s.value for s in sent]
    assert trial.rows(silver, ids) == []


def test_ids_that_are_no_text_are_told_apart(trial: Trial) -> None:
    """Their bytes go through hashing, joins and Parquet: two of them must not fall together."""
    counts = trial.write(good(b"\xff"), good(b"\xfe"), good(b"\xff"), bad(b"\xfd\x00"))

    assert (counts, counts.duplicates) == (Counts(read=4, accepted=2, quarantined=1), 1)
    assert trial.write(good(b"\xfe")).duplicates == 1


def test_compaction_makes_few_files_of_many_and_changes_no_row(trial: Trial) -> None:
    trial.write(good("i1"), bad("j1"))
    for table in trial.tables:
        path = trial.lane.path(table)
        before, files = trial.rows(table), files_of(trial, path)
        removed, added = compact(trial.spark, path)

        assert files >= 4
        assert (removed, added) == (files, 1)
        assert files_of(trial, path) == 1
        assert trial.rows(table) == before
        assert compact(trial.spark, path) == (0, 0), "one file is left alone"
    counts = trial.write(good("i1"), bad("j1"), good("i2"))
    assert (counts, counts.duplicates) == (Counts(read=3, accepted=1, quarantined=0), 2)


def files_of(trial: Trial, path: str) -> int:
    return int(trial.spark.sql(f"DESCRIBE DETAIL delta.`{path}`").collect()[0]["numFiles"])


def test_a_lost_checkpoint_goes_on_after_what_bronze_holds(trial: Trial) -> None:
    bronze = trial.domain.bronze
    path = trial.settings.table_path("bronze.elsewhere")
    live_tables.apply_delta(trial.spark, bronze, path)
    place = TopicPosition(trial.spark, trial.settings, trial.domain)
    place.path = path
    ends = {"0": 0, "1": 0, "2": 0}
    assert place.starting_offsets(OffsetCheck(ends, ends, place.in_lake(), ())) == "earliest"

    some = trial.lane.table(bronze).where("kafka_partition = 1").withColumnRenamed("kafka_offset", "o")
    some.selectExpr("*", "o + 100 AS kafka_offset").drop("o").write.format("delta").mode("append").save(path)

    highest = max(row["kafka_offset"] for row in trial.rows(bronze) if row["kafka_partition"] == 1)
    document = json.loads(place.starting_offsets(OffsetCheck(ends, ends, place.in_lake(), ())))
    assert document == {"purchases": {"0": -2, "1": highest + 101, "2": -2}}
