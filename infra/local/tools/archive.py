"""Java's archive of classes: Spark's classes read, checked and laid out once, then mapped into memory at each start.

Loading them anew takes a quarter of the processor time of a start of Spark. Java itself refuses an archive that was
made for other jars or by another Java; here one is made again when these have changed.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

from conf import REPOSITORY, Settings
from conf.spark import classpath
from infra.local.errors import Failed, Tolerated
from infra.local.processes import children
from infra.local.processes.command_lock import held
from infra.local.processes.permissions import share
from infra.local.tools.jars import pyspark_jars


def current(settings: Settings, java_home: Path) -> Path:
    """Where the archive for the present jars and Java lies, or is to lie."""
    mark = hashlib.sha256()
    release = java_home / "release"
    for file in (release, *sorted(pyspark_jars().glob("*.jar")), *classpath(settings)):
        if file.exists():
            mark.update(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}\n".encode())
    return settings.jars / "spark" / f"classes-{mark.hexdigest()[:16]}.jsa"


def ensure(settings: Settings, java_home: Path, say: Callable[[str], None]) -> str:
    """Make the archive unless it is there. `Tolerated` when it cannot be made: Spark starts without it, only slower."""
    if not current(settings, java_home).exists():
        # The tools are shared: another stack may be making the same.
        with held(settings.tools / "archive.lock", "Java's archive of classes", wait=True):
            if not current(settings, java_home).exists():
                _make(settings, java_home, say)
    return f"{current(settings, java_home).stat().st_size / 1e6:.0f} MB"


def _make(settings: Settings, java_home: Path, say: Callable[[str], None]) -> None:
    target = current(settings, java_home)
    for old in target.parent.glob("*.jsa*"):
        old.unlink()
    fresh = target.with_suffix(".jsa.new")
    say("rehearsing a start of Spark")
    log = settings.home / "cache" / "archive.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    env = children.environment(settings, java_home, part="archive")
    # It must not slow down what somebody waits for.
    command = ["nice", "-n", "19", sys.executable, "-m", "infra.local.tools.rehearsal", str(fresh)]
    try:
        children.run(command, "Rehearsing", env=env, cwd=REPOSITORY, log=log)
    except Failed as problem:
        raise Tolerated(f"not made, so each start of Spark takes some seconds more: {problem}") from None
    if not fresh.exists():
        raise Tolerated(f"not made, so each start of Spark takes some seconds more; Java's words are in {log}")
    share(fresh)
    fresh.rename(target)
