import os
from pathlib import Path

from dags.logs import remove_old


def made(path: Path, at: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    os.utime(path, (at, at))
    return path


def test_only_what_is_older_goes(tmp_path: Path) -> None:
    old, young = made(tmp_path / "a" / "1.log", 99), made(tmp_path / "b" / "2.log", 100)
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
    outside = made(tmp_path / "outside" / "kept.log", 1)
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "latest").symlink_to(outside.parent)

    remove_old(logs, before=2_000_000_000_000)

    assert outside.exists()
