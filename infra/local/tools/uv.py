"""uv, which makes the environments: where it is, and one environment of a lock file."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

from conf import Settings
from infra.local.errors import Refused
from infra.local.processes import children
from infra.local.processes.command_lock import held
from infra.local.processes.permissions import share


def find(settings: Settings) -> Path:
    """uv from PATH, or the one that ./start.sh has fetched. `Refused` when it is gone."""
    program = shutil.which("uv") or next((str(path) for path in (settings.tools / "uv").glob("**/bin/uv")), None)
    if program is None:
        raise Refused(
            "uv made the virtual environment and is gone since. Install it (https://docs.astral.sh/uv/), "
            "or remove .sauda/tools/venv and start again."
        )
    return Path(program)


def is_current(project: Path, target: Path) -> bool:
    """Whether the environment is that of the project's lock file."""
    stamp = target / ".sauda-stamp"
    return stamp.exists() and stamp.read_text() == _lock(project)


def sync(settings: Settings, project: Path, target: Path) -> None:
    """Make the environment `target` of the lock file in `project`, unless it is there."""
    if is_current(project, target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with held(target.with_suffix(".lock"), f"the environment {target.name}", wait=True):
        if is_current(project, target):
            return
        command = [str(find(settings)), "sync", "-q", "--project", str(project), "--locked", "--python", sys.executable]
        env = dict(os.environ) | {"UV_PROJECT_ENVIRONMENT": str(target)}
        children.run(command, f"Making the environment {target.name}", env=env)
        (target / ".sauda-stamp").write_text(_lock(project))
        share(target)


def _lock(project: Path) -> str:
    return hashlib.sha256((project / "uv.lock").read_bytes()).hexdigest()
