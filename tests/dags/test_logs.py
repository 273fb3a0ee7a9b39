import os
from pathlib import Path

import pytest

from dags.logs import remove_old


def file_of_age(path: Path, at: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    os.utime(path, (at, at))
    return path


def test_only_what_is_older_goes(tmp_path: Path) -> None:
    old, young = file_of_age(tmp_path / "a" / "1.log", 99), file_of_age(tmp_path / "b" / "2.log", 100)
    empty = tmp_path / "c"
    empty.mkdir()
    os.utime(empty, (99, 99))

    removed = remove_old(tmp_path, before=100)

    assert removed == 1
    assert not old.exists()
    assert not empty.exists()
    assert old.parent.exists(), "a task may be about to write into it"
    assert young.exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = file_of_age(tmp_path / "outside" / "kept.log", 1)
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "latest").symlink_to(outside.parent)

    remove_old(logs, before=2_000_000_000_000)

    assert outside.exists()


def test_what_others_remove_or_fill_meanwhile_is_left_to_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, filled = file_of_age(tmp_path / "gone.log", 1), tmp_path / "filled"
    filled.mkdir()
    os.utime(filled, (1, 1))
    old = file_of_age(tmp_path / "old.log", 1)
    unlink, rmdir = Path.unlink, Path.rmdir

    def late_unlink(path: Path) -> None:
        if path == gone:
            unlink(path)
        unlink(path)

    def late_rmdir(path: Path) -> None:
        file_of_age(path / "new.log", 100)
        rmdir(path)

    monkeypatch.setattr(Path, "unlink", late_unlink)
    monkeypatch.setattr(Path, "rmdir", late_rmdir)

    assert remove_old(tmp_path, before=50) == 1
    assert not old.exists()
    assert (filled / "new.log").exists()
