"""start.sh on machines that lack something. Nothing is installed: each case ends before that."""

import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from conf import REPOSITORY
from infra.local.command_line import cli

COREUTILS = ("bash", "mkdir", "dirname", "cat", "cut", "sha256sum", "rm")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH with bash and coreutils alone, and a user who is not root."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in COREUTILS:
        actual = shutil.which(name)
        assert actual
        (folder / name).symlink_to(actual)
    program(folder / "id", "echo 1000")
    return folder


def program(file: Path, script: str) -> None:
    file.write_text(f"#!/bin/bash\n{script}\n")
    file.chmod(0o755)


def start(path: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    env |= {"PATH": str(path), "SAUDA_HOME": str(path.parent / "home")}
    command = ["/bin/bash", str(REPOSITORY / "start.sh"), *words]
    return subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, check=False, timeout=30)


@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_help_comes_before_any_set_up(path: Path, word: str) -> None:
    answer = start(path, word)
    assert answer.returncode == 0
    named = answer.stdout.partition("Commands: ")[2].partition("Each has --help")[0]
    context = click.Context(cli)
    commands = [cli.get_command(context, name) for name in cli.list_commands(context)]
    shown = {command.name for command in commands if command and not command.hidden}
    assert set(named.split()) == shown
    assert not (path.parent / "home" / "tools").exists()


def test_without_python_the_remedy_is_told(path: Path) -> None:
    answer = start(path, "status")
    assert answer.returncode == 2
    assert "Python 3.11 or newer" in answer.stderr
    assert "apt-get install" in answer.stderr


def test_an_old_python_will_not_do(path: Path) -> None:
    program(path / "python3", "exit 1")
    assert start(path, "status").returncode == 2


def test_a_python_without_venv_and_pip_is_told(path: Path) -> None:
    program(path / "python3.12", f'case "$*" in *ensurepip*|*"-m pip"*) exit 1;; esac\nexec {sys.executable} "$@"')
    answer = start(path, "status")
    assert answer.returncode == 2
    assert "neither venv nor pip" in answer.stderr
    assert "python3-venv" in answer.stderr


def test_what_python_compiled_is_kept_in_a_folder_of_ours(path: Path) -> None:
    output = path.parent / "said"
    program(path / "python3", f'echo "${{PYTHONDONTWRITEBYTECODE-unset}} $PYTHONPYCACHEPREFIX" > {output}; exit 1')
    start(path, "status", PYTHONDONTWRITEBYTECODE="1")

    assert output.read_text().split() == ["unset", str(path.parent / "home" / "cache" / "pycache")]
