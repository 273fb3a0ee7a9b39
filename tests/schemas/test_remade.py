"""Gold tables whose contract changed: a whole night makes them anew, and loses nothing."""

from __future__ import annotations

import pytest

from schemas.derive import delta
from schemas.derive.live_tables import ContractMismatch, apply_each, apply_served, remake_delta
from tests.schemas.derive.test_live_tables import PATH, Server, live_session, server
from tests.support.sample_contracts import SAMPLE_DAILY, SAMPLES

__all__ = ["server"]


def test_a_gold_table_of_an_older_contract_is_made_anew_by_a_whole_night(server: Server) -> None:
    """ClickHouse shows the old one until the new one is swapped in; other tables are completed meanwhile."""
    server.columns["gold.sample_daily"]["a_kzt"] = ("Float64", "First.")
    del server.columns["silver.samples"]["price_kzt"]
    session = live_session(SAMPLE_DAILY)
    next(f for f in session.fields if f["name"] == "a_kzt").update({"type": "double"})

    done = apply_served(server, [SAMPLES, SAMPLE_DAILY])
    assert done[-1] == "gold.sample_daily is of an older contract; the next night makes it anew."
    assert len(server.commands) == 1
    assert "`silver`.`samples`" in server.commands[0]
    (sentence,) = remake_delta(session, SAMPLE_DAILY, PATH)
    assert sentence == "gold.sample_daily was of an older contract, and is made anew."
    assert session.statements == [delta.create_table(SAMPLE_DAILY, PATH, anew=True)]
    assert session.statements[0].startswith("CREATE OR REPLACE TABLE")


def test_no_table_that_holds_what_nothing_else_has_is_made_anew(server: Server) -> None:
    server.columns["silver.samples"]["old"] = ("String", "")
    session = live_session(SAMPLES)
    session.fields[0]["type"] = "double"

    with pytest.raises(ContractMismatch):
        apply_served(server, [SAMPLES, SAMPLE_DAILY])
    with pytest.raises(ContractMismatch):
        remake_delta(session, SAMPLES, PATH)
    assert (server.commands, session.statements) == ([], [])


def test_a_table_that_needs_a_migration_keeps_no_other_from_being_completed(server: Server) -> None:
    server.columns["silver.samples"]["old"] = ("String", "")
    del server.columns["gold.sample_daily"]["a_kzt"]

    done, mismatch = apply_each(server, [SAMPLES, SAMPLE_DAILY])

    assert mismatch is not None
    assert {difference.table for difference in mismatch.differences} == {"silver.samples"}
    assert "old" in str(mismatch)
    assert done == ["gold.sample_daily is of an older contract; the next night makes it anew."]
    assert server.commands == []


def test_where_nothing_needs_a_migration_nothing_is_told_to_differ(server: Server) -> None:
    del server.columns["silver.samples"]["price_kzt"]

    done, mismatch = apply_each(server, [SAMPLES, SAMPLE_DAILY])

    assert (len(done), mismatch, len(server.commands)) == (1, None, 1)
