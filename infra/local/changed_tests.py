"""Which unit tests concern what has changed, for ``./start.sh test --smoke``."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

from conf import REPOSITORY


def changed_files() -> set[str]:
    """What differs from the main branch; on that branch itself, from the commit before. With what is not committed."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    head = git("rev-parse", "HEAD")
    bases = [git("merge-base", "HEAD", name) for name in ("origin/main", "main")]
    base = next((candidate for candidate in bases if candidate and candidate != head), "") or git("rev-parse", "HEAD~1")
    tracked = git("diff", "--name-only", base) if base else ""
    return {*tracked.splitlines(), *git("ls-files", "--others", "--exclude-standard").splitlines()} - {""}


def tests_of(changed: Collection[str], files: Iterable[str]) -> list[str]:
    """Of these test files those that concern a changed file: it is the test, its source, or what the test imports."""
    chosen = []
    for test in files:
        source = mirrored(test)
        if test in changed or source in changed or imported(test) & set(changed):
            chosen.append(test)
    return sorted(chosen)


def unit_test_files() -> list[str]:
    listed = (REPOSITORY / "tests").rglob("test_*.py")
    return sorted(
        name for f in listed if not (name := f.relative_to(REPOSITORY).as_posix()).startswith("tests/services/")
    )


def mirrored(test: str) -> str:
    """The source of a test by its path: ``tests/jobs/core/test_push.py`` tests ``jobs/core/push.py``."""
    path = Path(test)
    return (path.relative_to("tests").parent / path.name.removeprefix("test_")).as_posix()


@cache
def imported(test: str) -> frozenset[str]:
    """The files of the repository that a test imports, by itself or by way of other tests' support."""
    names: set[str] = set()
    waiting = [test]
    while waiting:
        for name in _imports(REPOSITORY / waiting.pop()):
            path = name.replace(".", "/") + ".py"
            if path in names or not (REPOSITORY / path).is_file():
                continue
            names.add(path)
            if path.startswith("tests/"):
                waiting.append(path)
    return frozenset(names)


def _imports(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names
