"""Who may read what: a stack is its owner's alone, tools are everybody's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conf import REPOSITORY, Settings
from infra.local import parts
from infra.local.errors import Refused
from infra.local.processes import permissions
from infra.local.processes.supervisor import render
from infra.local.servers import airflow


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def old(stack_settings: Settings) -> Path:
    """A stack as older versions left it: open to everybody."""
    customers = stack_settings.data / "minio" / "lake" / "customers.parquet"
    for file in (customers, stack_settings.logs / "kafka.log", stack_settings.run / "kafka" / "kraft.properties"):
        file.parent.mkdir(parents=True)
        file.write_text("secret")
        file.chmod(0o644)
    for folder, _, _ in os.walk(stack_settings.home):
        Path(folder).chmod(0o755)
    return customers


def open_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if mode(path) & 0o066]


def test_what_an_older_version_left_open_is_closed(stack_settings: Settings, old: Path) -> None:
    permissions.close(stack_settings)

    assert open_below(stack_settings.home) == []
    assert mode(old) == 0o600
    assert mode(old.parent) == 0o700
    assert old.read_text() == "secret"


@pytest.mark.parametrize(("user", "way"), [(0, 0o711), (1_000, 0o700)])
def test_only_roots_servers_are_let_through_and_they_cannot_look_around(
    stack_settings: Settings, monkeypatch: pytest.MonkeyPatch, user: int, way: int
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    permissions.close(stack_settings)

    folders = (stack_settings.stack_home, stack_settings.data, stack_settings.run, stack_settings.logs)
    assert {mode(folder) for folder in folders} == {way}


def test_a_link_out_of_the_stack_is_not_followed(stack_settings: Settings, old: Path, tmp_path: Path) -> None:
    outside = tmp_path / "mine.txt"
    outside.write_text("mine")
    outside.chmod(0o644)
    (old.parent / "link").symlink_to(outside)
    permissions.close(stack_settings)

    assert mode(outside) == 0o644


@pytest.mark.usefixtures("old")
def test_what_is_shut_is_not_looked_through_again(stack_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    permissions.close(stack_settings)
    monkeypatch.setattr(permissions, "tighten", lambda _: pytest.fail("millions of files are looked at each time"))

    permissions.close(stack_settings)


def test_a_backup_that_was_copied_back_open_is_closed_too(stack_settings: Settings, old: Path) -> None:
    permissions.close(stack_settings)
    (stack_settings.data / "minio").chmod(0o755)
    old.chmod(0o644)
    assert permissions.open_paths(stack_settings) == [stack_settings.data / "minio"]
    permissions.close(stack_settings)

    assert open_below(stack_settings.home) == []


def test_passwords_that_were_copied_back_open_are_closed_too(stack_settings: Settings) -> None:
    assert stack_settings.secrets
    file = stack_settings.stack_home / "secrets.json"
    file.chmod(0o644)
    permissions.close(stack_settings)

    assert mode(file) == 0o600


def test_a_folder_that_another_users_server_enters_stays_so(stack_settings: Settings) -> None:
    """It can be entered, and not be looked into."""
    permissions.close(stack_settings)
    entered = stack_settings.run / "server"
    entered.mkdir()
    entered.chmod(0o711)
    permissions.close(stack_settings)

    assert mode(entered) == 0o711


def test_a_stack_of_somebody_else_is_refused_with_the_cure(
    stack_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    permissions.close(stack_settings)
    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(Refused, match=r"belongs to .*, and this command runs as .*sudo chown -R"):
        permissions.close(stack_settings)


def test_a_tool_is_for_everybody(tmp_path: Path) -> None:
    binary, text = tmp_path / "tool" / "bin" / "postgres", tmp_path / "tool" / "share" / "words"
    for file, rights in ((binary, 0o700), (text, 0o600)):
        file.parent.mkdir(parents=True, mode=0o700)
        file.write_text("")
        file.chmod(rights)
    permissions.share(tmp_path / "tool")

    assert (mode(binary), mode(text), mode(binary.parent), mode(tmp_path / "tool")) == (0o755, 0o644, 0o755, 0o755)


def test_every_part_is_started_with_a_private_umask(stack_settings: Settings) -> None:
    machine = parts.Machine(stack_settings, Path("/java"), Path("/minio"))
    lines = render(stack_settings, parts.processes(machine).values()).splitlines()

    assert lines.count("umask=077") == 1 + sum(line.startswith("[program:") for line in lines)


def test_airflow_does_not_open_its_logs(stack_settings: Settings) -> None:
    env = airflow.environment(stack_settings)

    assert env["AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS"] == "0o700"
    assert env["AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS"] == "0o600"


def test_a_process_that_has_the_settings_makes_private_files(tmp_path: Path) -> None:
    program = "import os; from conf import settings; settings(); print(f'{os.umask(0):o}')"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, env=os.environ | {"SAUDA_HOME": str(tmp_path)},
        capture_output=True, text=True, check=True, umask=0o022,
    )  # fmt: skip

    assert done.stdout == "77\n"
