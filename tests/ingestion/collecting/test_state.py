from __future__ import annotations

from pathlib import Path

import pytest

from conf.domains.procurement import ProcurementSettings
from ingestion.collecting.progress import estimate
from ingestion.collecting.state import KnownRegister, State, Walk, forget
from ingestion.core.errors import IngestError
from ingestion.procurement.goszakup.service import goszakup_state_path

WALK = Walk("lots", "full", "/v3/lots?search_after=5", "5", "99", "", 3, 30, "2026-02-10")


def test_what_was_saved_is_found_again(tmp_path: Path) -> None:
    with State(tmp_path / "a.sqlite") as state:
        state.save(WALK, [("7", "abc")])
        state.note("day", "2026-02-10")
    with State(tmp_path / "a.sqlite") as state:
        assert (state.walk("lots"), state.walk("acts"), state.known("lots")) == (WALK, None, None)
        assert (state.hashes("lots", ["7", "8"]), state.hashes("acts", ["7"])) == ({"7": "abc"}, {})
        assert (state.fact("day"), state.fact("night")) == ("2026-02-10", "")


def test_a_finished_walk_leaves_what_is_known_of_its_register(tmp_path: Path) -> None:
    known = KnownRegister("lots", "99", 130, "2026-02-10")
    with State(tmp_path / "a.sqlite") as state:
        state.save(WALK)
        state.finish(WALK, known)
        assert (state.walk("lots"), state.known("lots")) == (None, known)


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with State(path) as state:
        state.save(WALK)
        with pytest.raises(IngestError, match=r"Another run of this collection is under way: it holds .*a.sqlite"):
            State(path)
    State(path).close()


def test_a_damaged_state_is_told_and_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(IngestError, match=r"is damaged: file is not a database. Move it away"):
        State(path)
    assert path.read_bytes().startswith(b"this is no database")


def test_a_dry_run_makes_no_file(tmp_path: Path) -> None:
    with State(tmp_path / "none" / "a.sqlite", is_dry=True) as state:
        assert state.walk("lots") is None
    assert not (tmp_path / "none").exists()


def test_each_service_has_a_state_of_its_own(tmp_path: Path) -> None:
    def named(url: str) -> str:
        return goszakup_state_path(ProcurementSettings(home=tmp_path, goszakup_url=url)).name

    assert named("https://ows.goszakup.gov.kz") == "goszakup.ows.goszakup.gov.kz.sqlite"
    assert named("https://ows.goszakup.gov.kz:8443") == "goszakup.ows.goszakup.gov.kz.sqlite"


def test_stand_ins_of_two_worlds_share_no_state(tmp_path: Path) -> None:
    paths = {goszakup_state_path(ProcurementSettings(home=tmp_path, goszakup_url=f"http://{host}")).name
             for host in ("127.0.0.1:8081", "127.0.0.1:9999", "localhost:8081")}  # fmt: skip
    assert paths == {
        "goszakup.127.0.0.1-8081.sqlite", "goszakup.127.0.0.1-9999.sqlite", "goszakup.localhost-8081.sqlite",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "expected", "seconds", "left"),
    [(100, 400, 10, "0:00:30"), (1, 7_201, 1, "2:00:00"), (0, 100, 5, ""), (100, 100, 5, ""), (5, 0, 5, "")],
)
def test_the_time_left_is_told_at_the_pace_so_far(rows: int, expected: int, seconds: float, left: str) -> None:
    assert estimate(rows, expected, seconds) == left


def test_a_collection_is_forgotten_and_no_other(tmp_path: Path) -> None:
    chosen = ProcurementSettings(home=tmp_path, goszakup_collection="gos")
    others = [ProcurementSettings(home=tmp_path, goszakup_collection=name) for name in ("goszakup", "g")]
    for each in (chosen, *others):
        with State(goszakup_state_path(each)) as state:
            state.note("day", "2026-02-10")

    assert forget(chosen, "gos") == [goszakup_state_path(chosen)]
    assert forget(chosen, "gos") == []
    assert sorted(p.name for p in goszakup_state_path(chosen).parent.iterdir()) == sorted(
        goszakup_state_path(o).name for o in others
    )


def test_a_collection_that_is_being_collected_is_not_forgotten(tmp_path: Path) -> None:
    chosen = ProcurementSettings(home=tmp_path)
    with (
        State(goszakup_state_path(chosen)),
        pytest.raises(IngestError, match="Another run of this collection is under way"),
    ):
        forget(chosen, "goszakup")
    assert goszakup_state_path(chosen).exists()
