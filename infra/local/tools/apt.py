"""Packages of Debian and Ubuntu."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from infra.local.errors import Refused
from infra.local.processes import children


def is_debian() -> bool:
    """Whether packages come by apt-get here."""
    return shutil.which("apt-get") is not None and Path("/etc/debian_version").exists()


def apt_install(choices: tuple[str, ...], what: str) -> None:
    """Install the first of the packages that this machine's sources offer. Only for root.

    `what` is what a user would have to install by hand where none is offered.
    """
    env = dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"}
    children.run(["apt-get", "update", "-q"], "Reading the package lists", env=env)
    offered = [name for name in choices if _is_offered(name)]
    if not offered:
        raise Refused(f"apt-get offers none of {', '.join(choices)}: install {what} by hand.")
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", offered[0]]
    children.run(command, f"Installing {offered[0]}", env=env)


def _is_offered(package: str) -> bool:
    done = subprocess.run(["apt-cache", "show", package], capture_output=True, text=True, check=False)
    return done.returncode == 0 and "Package:" in done.stdout
