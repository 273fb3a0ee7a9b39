"""A stack on a volume of its own that can be filled: for root, who may mount one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from conf import REPOSITORY, Settings
from conf.domain_settings import default_ports
from infra.local.stack import Stack
from infra.local.tools import java
from tests.support.ports import free_ports


@contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[Path]:
    """A volume of that size in the place of a folder; skips the test where none can be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "sauda-small-disk", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a volume cannot be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def small_stack(folder: Path, tools: Path, **chosen: object) -> Settings:
    """Settings of a stack below a folder, with the tools that are there and ports of its own."""
    home = folder / "home"
    home.mkdir()
    (home / "tools").symlink_to(tools.resolve())
    names = [f"{name}_port" for name in default_ports()]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    return Settings(home=home, stack="small", **ports, **chosen)  # type: ignore[arg-type]


@contextmanager
def started(settings: Settings, *names: str) -> Iterator[Stack]:
    """The supervisor with its guard, and the parts named; nothing is fetched or made for them. Ends with all of it."""
    stack = Stack(settings)
    stack.tools.java_home = java.ensure(settings, lambda _: None)
    try:
        for step in [stack.supervisor_step(), *stack.part_steps(names)]:
            step.action(lambda _: None)
        yield stack
    finally:
        stack.down()


def command(settings: Settings, *words: str, seconds: float = 240) -> subprocess.CompletedProcess[str]:
    """One of our own commands on such a stack."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("SAUDA_")} | settings.environment()
    env |= {"PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", *words], env=env, cwd=REPOSITORY, capture_output=True, text=True, check=False,
        timeout=seconds,
    )  # fmt: skip


def fill(file: Path, *, at_once: bool) -> None:
    """Take all the space there is: as fast as one can write, or at once."""
    room = os.statvfs(file.parent)
    size = room.f_bavail * room.f_frsize
    with file.open("wb", buffering=0) as out:
        if at_once:
            with suppress(OSError):
                os.posix_fallocate(out.fileno(), 0, max(1, size - 1_000_000))
        chunk = b"x" * 1_000_000
        try:
            while True:
                out.write(chunk)
        except OSError:
            return
