"""Chromium, in which the page is tested: one that runs on PATH, or installed where that is possible."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

from infra.local.errors import Failed, Tolerated
from infra.local.tools.apt import apt_install, is_debian

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "There is no Chromium on PATH, so the page is not tested in a browser. "
    "Install it, e.g.: sudo apt-get install -y chromium"
)


def find() -> str | None:
    """The first that runs. Ubuntu's package of that name may be an empty shell that points to another store."""
    return next((program for name in NAMES if (program := shutil.which(name)) and _runs(program)), None)


def _runs(program: str) -> bool:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def is_installable() -> bool:
    """Whether apt-get may be asked for it here."""
    return is_debian() and os.geteuid() == 0


def ensure(say: Callable[[str], None]) -> str:
    """Its path. `Tolerated` where there is none and it cannot be installed: then its tests are left out."""
    program = find()
    if program is None and is_installable():
        say("installing by apt-get")
        try:
            apt_install(("chromium",), "Chromium")
        except Failed as problem:
            raise Tolerated(f"{MISSING}\n{problem}") from None
        program = find()
    if program is None:
        raise Tolerated(MISSING)
    return program
