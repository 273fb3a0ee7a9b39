"""How much space is left, when that is too little, and what is said then."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from conf import Settings, disk

MIB = disk.MIB


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path, stack="unit", disk_low_mb=1_000, disk_reserve_mb=100)
    settings.data.mkdir(parents=True)
    return settings


def free(monkeypatch: pytest.MonkeyPatch, megabytes: int, files: int = 10**6, every: int = 10**7) -> None:
    reported = SimpleNamespace(f_bavail=megabytes, f_frsize=MIB, f_files=every, f_favail=files)
    monkeypatch.setattr(os, "statvfs", lambda _: reported)


@pytest.mark.parametrize(
    ("megabytes", "level"),
    [(50_000, "fine"), (1_100, "fine"), (1_099, "low"), (600, "low"), (599, "critical"), (0, "critical")],
)
def test_the_reserve_is_counted_as_taken_also_while_it_is_not(
    chosen: Settings, monkeypatch: pytest.MonkeyPatch, megabytes: int, level: str
) -> None:
    free(monkeypatch, megabytes)
    (volume,) = disk.volumes(chosen)

    assert volume.level == level
    assert bool(disk.shortage(chosen)) == (level != "fine")


def test_what_is_left_does_not_depend_on_whether_the_reserve_is_made(
    chosen: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 1_150)
    (without,) = disk.volumes(chosen)
    monkeypatch.setattr(disk, "allocated", lambda _: 100 * MIB)
    free(monkeypatch, 1_050)
    (result,) = disk.volumes(chosen)

    assert without.left == result.left == 1_050 * MIB


def test_the_sentence_says_how_much_there_is_and_which_setting_wants_more(
    chosen: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 700)

    assert disk.shortage(chosen) == (
        f"The disk of {chosen.data} has 600 MB free beside Sauda's reserve, less than 1,000 (SAUDA_DISK_LOW_MB). "
        "Nothing new is taken until there is space; what was acknowledged is safe."
    )


@pytest.mark.parametrize(
    ("files", "every", "level"), [(10, 100, "critical"), (1_500, 9_000, "low"), (5_000, 9_000, "fine"), (0, 0, "fine")]
)
def test_a_volume_without_room_for_another_file_is_full_too(
    chosen: Settings, monkeypatch: pytest.MonkeyPatch, files: int, every: int, level: str
) -> None:
    free(monkeypatch, 90_000, files, every)
    (volume,) = disk.volumes(chosen)

    assert volume.level == level
    assert (f"has room for {files:,} more files" in volume.sentence) == (level != "fine")


def test_a_volume_that_is_looked_at_by_nobody_or_belongs_to_another_broker_refuses_nothing(
    chosen: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    free(monkeypatch, 0)

    assert disk.shortage(chosen.model_copy(update={"disk_low_mb": 0})) == ""
    assert disk.shortage(chosen.model_copy(update={"kafka_bootstrap": "elsewhere:9092"})) == ""


def test_a_stack_that_was_never_started_is_looked_at_by_the_folder_above_it(tmp_path: Path) -> None:
    (volume,) = disk.volumes(Settings(home=tmp_path / "not" / "there", stack="unit", disk_low_mb=1))

    assert volume.folder == tmp_path
    assert volume.level == "fine"


def test_a_hole_is_no_reserve(tmp_path: Path) -> None:
    hole = tmp_path / "hole"
    with hole.open("wb") as out:
        out.truncate(MIB)

    assert disk.allocated(hole) == 0
    assert disk.allocated(tmp_path / "none") == 0
