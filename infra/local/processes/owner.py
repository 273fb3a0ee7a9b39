"""Servers that root starts run as another user, who owns their data and nothing else."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterable
from pathlib import Path

NOBODY, DAEMON = "nobody", "daemon"
"""Run PostgreSQL and ClickHouse where root starts them; two, so that neither can read the other's files."""


def as_user(user: str, folders: Iterable[Path]) -> list[str]:
    """The words before a command that make root run it as this user; none where we are not root.

    Where a folder on the way to `folders` is closed to others, as root's home often is, the process may pass through it
    and read, but not write, what is not its own.
    """
    if os.geteuid() != 0:
        return []
    owner = _known(user)
    words = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    way = {passed for folder in folders for passed in (folder, *folder.parents)}
    if not all(folder.stat().st_mode & 0o001 for folder in way if folder.exists()):
        words += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return words


def python() -> list[Path]:
    """The folders of this interpreter."""
    return [Path(sys.executable).resolve().parent, Path(sys.prefix), Path(sys.base_prefix)]


def give(user: str, path: Path) -> None:
    """Make the user the owner of a file or folder with all that is in it; nothing where we are not root.

    The folder itself comes last, so that one that was given is given whole, however a run before it ended.
    """
    if os.geteuid() != 0:
        return
    owner = _known(user)
    wanted = (owner.pw_uid, owner.pw_gid)
    status = path.lstat()
    if (status.st_uid, status.st_gid) == wanted:
        return
    for parent, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(Path(parent, name), *wanted, follow_symlinks=False)
    os.chown(path, *wanted, follow_symlinks=False)


def _known(user: str) -> pwd.struct_passwd:
    """The user; `nobody` on a system without one of this name."""
    try:
        return pwd.getpwnam(user)
    except KeyError:
        return pwd.getpwnam(NOBODY)
