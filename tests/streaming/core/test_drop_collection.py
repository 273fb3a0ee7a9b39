"""What belongs to a collection, and when it is not dropped."""

from __future__ import annotations

import json

import pytest

from conf import Settings
from schemas.contract import find
from streaming.core import drop_collection
from streaming.core.bronze_position import BronzePosition
from streaming.core.drop_collection import NotDropped, belongs, refuse_while_events_wait, run, with_collections


def test_only_procurement_has_collections() -> None:
    assert [domain.name for domain in with_collections()] == ["procurement"]


def test_rows_are_told_by_their_code_and_events_by_their_id() -> None:
    assert belongs(find("silver.procurement_lots"), "goszakup") == "collection_code = 'goszakup'"
    # Of two names one may begin with the other: the colon ends it.
    assert belongs(find("quarantine.procurement"), "gos") == "startswith(event_id, 'gos:')"
    assert "startswith(event_id, 'gos:') OR coalesce(" in belongs(find("bronze.procurement"), "gos")


@pytest.mark.parametrize("name", ["", "A", "a b", "a'b", "a:b", "../a"])
def test_what_is_no_name_is_refused_before_anything_is_asked(name: str) -> None:
    with pytest.raises(NotDropped, match="is no name of a collection"):
        run(Settings(), name)


def test_events_that_are_not_yet_in_the_lake_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    (domain,) = with_collections()
    monkeypatch.setattr(drop_collection, "topic_ends", lambda _, topics: {topics[0]: {"0": 10, "1": 1_500}})
    monkeypatch.setattr(drop_collection, "checkpoint_position", lambda *_: {"0": 10, "1": 300})

    with pytest.raises(NotDropped, match="1,200 events of procurement-events are not in the lake yet"):
        refuse_while_events_wait(Settings(), domain)

    monkeypatch.setattr(drop_collection, "checkpoint_position", lambda *_: {"0": 10, "1": 1_500})
    refuse_while_events_wait(Settings(), domain)


def test_what_was_dropped_counts_among_what_was_reached() -> None:
    rows, noted = BronzePosition(4, {"0": 10, "1": 3}), BronzePosition(7, {"1": 30, "2": 5})

    assert rows.maximum(noted) == BronzePosition(7, {"0": 10, "1": 30, "2": 5})
    assert BronzePosition().maximum(noted) == noted
    assert BronzePosition().maximum(BronzePosition()) == BronzePosition()
    assert BronzePosition(**json.loads(noted.as_json())) == noted
