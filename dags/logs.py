"""Old logs."""

from pathlib import Path


def remove_old(folder: Path, before: float) -> int:
    """Remove files last written before a moment (seconds since 1970), and folders that are empty since then.

    A folder that is emptied now stays for another time: a task may be about to write into it. Links are not followed.
    Returns the number of files removed.
    """
    removed = 0
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_symlink() or path.is_file():
            if path.lstat().st_mtime < before:
                path.unlink()
                removed += 1
        elif not any(path.iterdir()) and path.stat().st_mtime < before:
            path.rmdir()
    return removed
