"""Old logs."""

import contextlib
import errno
import os
from pathlib import Path


def remove_old(folder: Path, before: float) -> int:
    """Remove files last written before a moment (seconds since 1970), and folders that are empty since then.

    A folder that is emptied now stays for another time: a task may be about to write into it. Links are not followed.
    What others remove or fill meanwhile is left to them. Returns the number of files removed.
    """
    removed = 0
    for place, folders, files in os.walk(folder, topdown=False):
        for path in (Path(place, name) for name in (*files, *folders)):
            with contextlib.suppress(FileNotFoundError):
                if path.lstat().st_mtime < before:
                    removed += _remove(path)
    return removed


def _remove(path: Path) -> int:
    """1 for a file; a folder goes only where it is empty."""
    if path.is_symlink() or not path.is_dir():
        path.unlink()
        return 1
    try:
        path.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    return 0
