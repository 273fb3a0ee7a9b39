"""Who may read what: a stack is its owner's alone, tools may be run by everybody.

Servers that root starts as another user (PostgreSQL, ClickHouse) must get to their own folders, so those above can be
entered, and not read, by all.
"""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from conf import Settings
from conf.settings import PRIVATE
from infra.local.errors import Refused

OWNER_ONLY = 0o700
ENTERED = 0o711
"""Of folders that another user's server passes on the way to its own."""
READABLE, WALKABLE = 0o044, 0o011
USED = 0o066
"""Rights of group and others to read or write."""


def close(settings: Settings) -> None:
    """Keep others out of the stack's folders. What is open is closed.

    `Refused` where the stack belongs to somebody else.
    """
    os.umask(PRIVATE)
    way = ENTERED if os.geteuid() == 0 else OWNER_ONLY
    folders = {
        settings.home / "stacks": way,
        settings.stack_home: way,
        settings.data: way,
        settings.run: way,
        settings.logs: way,
        settings.home / "cache": OWNER_ONLY,
    }
    for folder, mode in folders.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(mode)
        except PermissionError:
            raise Refused(_foreign(folder)) from None
    for path in open_paths(settings):
        tighten(path)


def open_paths(settings: Settings) -> list[Path]:
    """What others may look into, of the first level of the stack's folders: what is below a shut one is shut.

    An older version left them so, or a backup that was copied back.
    """
    folders = (settings.stack_home, settings.data, settings.run, settings.logs, settings.home / "cache")
    children = [child for folder in folders if folder.exists() for child in folder.iterdir()]
    return [child for child in children if not child.is_symlink() and child.stat().st_mode & USED]


def tighten(path: Path) -> None:
    """Take the rights of group and others from a file, or a folder with all that is below it."""
    for entry, mode in ((path, path.stat().st_mode & 0o7777), *_below(path)):
        if mode & USED:
            # What belongs to somebody else, or has gone meanwhile, is passed.
            with contextlib.suppress(PermissionError, FileNotFoundError):
                entry.chmod(mode & ~PRIVATE)


def share(tree: Path) -> None:
    """Let everybody read a tool, its folders included, and run what its owner may run."""
    for path, mode in ((tree, tree.stat().st_mode & 0o7777), *_below(tree)):
        wanted = mode | READABLE | (WALKABLE if mode & 0o100 else 0)
        if wanted != mode:
            with contextlib.suppress(PermissionError, FileNotFoundError):
                path.chmod(wanted)


def _below(folder: Path) -> Iterator[tuple[Path, int]]:
    """All files and folders with their modes. Links are left alone: they have none, and lead anywhere."""
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            # A file may go while we look.
            with contextlib.suppress(FileNotFoundError):
                if not path.is_symlink():
                    yield path, path.stat().st_mode & 0o7777


def _foreign(folder: Path) -> str:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    owner, me = (_name(user) for user in (there.stat().st_uid, os.geteuid()))
    return (
        f"{there} belongs to {owner}, and this command runs as {me}. Run it as {owner}, "
        f"or give it to {me}: sudo chown -R {me} '{there}'"
    )


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
