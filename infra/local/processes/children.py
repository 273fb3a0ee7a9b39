"""Child processes: their environment, their output when they fail, and no orphans when we are stopped."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from conf import REPOSITORY, Settings
from infra.local.errors import Failed

MARK = "SAUDA_PART"
"""Every process of a stack carries ``SAUDA_PART=<stack folder>:<part>`` in its environment, so that it is found
again when whoever started it is gone."""

_running: set[subprocess.Popen[str]] = set()
_guard = threading.Lock()


def environment(settings: Settings, java_home: Path | None = None, part: str | None = None) -> dict[str, str]:
    """What a command of ours needs to find the repository, this stack and Java."""
    env = dict(os.environ)
    env |= settings.environment()
    env |= {"PYTHONPATH": str(REPOSITORY), "PYTHONPYCACHEPREFIX": str(settings.home / "cache" / "pycache")}
    # It would have each process compile all that it imports.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    if java_home:
        env["JAVA_HOME"] = str(java_home)
    if part:
        env[MARK] = mark(settings, part)
    return env


def mark(settings: Settings, part: str) -> str:
    """The value of `MARK` for a part of this stack."""
    return f"{settings.stack_home}:{part}"


def marked(settings: Settings) -> list[tuple[psutil.Process, str]]:
    """The living processes of this stack with the part each belongs to, whoever is their parent.

    This process and those it descends from are left out: a command may have been started by a part's process.
    """
    prefix = mark(settings, "")
    me = psutil.Process()
    family = {me.pid, *(parent.pid for parent in me.parents())}
    processes = []
    for process in psutil.process_iter():
        if process.pid in family:
            continue
        with contextlib.suppress(psutil.Error, OSError):
            value = process.environ().get(MARK, "")
            if value.startswith(prefix) and process.status() != psutil.STATUS_ZOMBIE:
                processes.append((process, value.removeprefix(prefix)))
    return processes


def stop(processes: Sequence[psutil.Process], patience: float = 5.0) -> None:
    """Ask the processes to end; kill those that still live after `patience` seconds."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=patience)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


def run(
    command: Sequence[str | Path],
    what: str,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    on_line: Callable[[str], None] | None = None,
    log: Path | None = None,
) -> str:
    """Run a command to its end and return what it printed; `Failed` with its last lines when it ends badly.

    `on_line` sees each line as it comes; with `log` all lines are kept in that file. Reaped by `stop_children`.
    """
    lines: list[str] = []
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(log.open("w")) if log else None
        try:
            child = subprocess.Popen(
                [str(word) for word in command],
                env=dict(env) if env is not None else None,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise Failed(f"{what}: {command[0]} does not start: {error.strerror}") from None
        with child, tracked(child):
            assert child.stdout
            for line in child.stdout:
                lines.append(line)
                if sink:
                    sink.write(line)
                    sink.flush()
                if on_line:
                    on_line(line.rstrip("\n"))
            code = child.wait()
    if code:
        tail = "".join(lines[-15:]).strip()
        where = f"\nThe whole output is in {log}" if log else ""
        raise Failed(f"{what}: `{Path(command[0]).name}` ended with code {code}.\n{tail}{where}")
    return "".join(lines)


@contextlib.contextmanager
def tracked(child: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Count a child among those that `stop_children` ends, as long as the block lasts."""
    with _guard:
        _running.add(child)
    try:
        yield child
    finally:
        with _guard:
            _running.discard(child)


def stop_children(patience: float = 3.0) -> None:
    """End the commands that still run for us, with their children (Ctrl-C, a step that failed)."""
    with _guard:
        children = [child for child in _running if child.poll() is None]
    family: list[psutil.Process] = []
    for child in children:
        with contextlib.suppress(psutil.Error):
            family += psutil.Process(child.pid).children(recursive=True)
    for child in children:
        child.terminate()
    stop(family, patience)
    for child in children:
        # Waited for by its own Popen: were another to reap it, Popen would take its code for 0, a success.
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
