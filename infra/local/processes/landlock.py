"""Landlock: a process gives up every path but those that it names (Linux 5.19 and newer).

Three system calls, as `man landlock` has them. It holds for the thread that asks for it and for all threads and
processes that this one starts afterwards: call it before the first thread.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION, PATH_BENEATH, NO_NEW_PRIVS = 1, 1, 38
OLDEST = 2
"""The version that knows moves between folders; the first refuses them all, and a database needs them."""

EXECUTE, WRITE_FILE, READ_FILE, READ_FOLDER, TRUNCATE, DEVICE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
READ = READ_FILE | READ_FOLDER
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | DEVICE
# What each version added: 13 rights, moves, truncation, devices.
_KNOWN = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def version() -> int:
    """The kernel's version of Landlock; 0 where it has none, an old one, or one that is switched off."""
    if sys.platform != "linux":
        return 0
    number = _libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION))
    return number if number >= OLDEST else 0


def restrict(read: Iterable[Path], write: Iterable[Path]) -> bool:
    """Keep to these files and folders, with all that is below them; False where the kernel has no Landlock.

    No program can be started any more, for that is given for none of them (libraries can be loaded). Paths that are not
    there are passed. Raises OSError where the kernel refuses.
    """
    have = version()
    if not have:
        return False
    known = max(rights for since, rights in _KNOWN.items() if since <= have)
    ruleset = _Ruleset(known)
    rules = _call(CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(ctypes.sizeof(ruleset)), ctypes.c_uint32(0))
    try:
        for path in read:
            _allow(rules, path, READ & known)
        for path in write:
            _allow(rules, path, known & ~EXECUTE)
        if _libc().prctl(NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        _call(RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
    finally:
        os.close(rules)
    return True


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        beneath = _Beneath(rights if path.is_dir() else rights & OF_FILES, descriptor)
        _call(ADD_RULE, ctypes.c_int(rules), ctypes.c_int(PATH_BENEATH), ctypes.byref(beneath), ctypes.c_uint32(0))
    finally:
        os.close(descriptor)


def _call(number: int, *arguments: object) -> int:
    returned: int = _libc().syscall(ctypes.c_long(number), *arguments)
    if returned < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return returned


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
