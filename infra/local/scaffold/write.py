"""Templates filled in: a template is a tree of files, in whose paths and texts ``${names}`` stand.

Files of templates end in ``.txt``, so that no tool takes them for code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

from infra.local.errors import Refused

TEMPLATES = Path(__file__).with_name("templates")


def filled(kind: str, values: Mapping[str, str]) -> dict[str, str]:
    """Path → text of each file of a template; KeyError where a value is missing."""
    root = TEMPLATES / kind
    files = {}
    for file in sorted(root.rglob("*.txt")):
        path = file.relative_to(root).as_posix().removesuffix(".txt")
        files[Template(path).substitute(values)] = Template(file.read_text(encoding="utf-8")).substitute(values)
    return files


def write(files: Mapping[str, str], repository: Path) -> list[Path]:
    """Write the files, and the ``__init__.py`` of each folder of modules that has none. Nothing is overwritten."""
    if there := [path for path in files if (repository / path).exists()]:
        raise Refused(f"{', '.join(there)} is there already: nothing was written.")
    written = []
    for path, text in files.items():
        target = repository / path
        _make_packages(target.parent, repository)
        target.write_text(text, encoding="utf-8")
        written.append(target)
    return written


def _make_packages(folder: Path, repository: Path) -> None:
    inner = folder.relative_to(repository)
    folder.mkdir(parents=True, exist_ok=True)
    if inner.parts[:1] in (("tests",), ("docs",), ("web",)):
        return
    for depth in range(1, len(inner.parts) + 1):
        package = repository.joinpath(*inner.parts[:depth])
        init = package / "__init__.py"
        if not init.exists():
            init.write_text(f'"""{package.name.capitalize()}."""\n', encoding="utf-8")
