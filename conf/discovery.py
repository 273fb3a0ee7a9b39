"""Finding modules by looking: whatever stands below a package is imported, so that there is no list to edit."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection
from pathlib import Path
from types import ModuleType


def names_below(package: ModuleType, skip: Collection[str] = ()) -> list[str]:
    """The names of all modules below a package, at any depth, in their order. None is imported.

    `skip` are modules and packages right below it that are left out, such as ``core``. Raises ImportError for a file
    that would be left out in silence, because its folder has no ``__init__.py``.
    """
    names = []
    top = f"{package.__name__}."
    folders: list[tuple[str, str]] = [(folder, top) for folder in package.__path__]
    while folders:
        folder, prefix = folders.pop(0)
        known = {info.name: info.ispkg for info in pkgutil.iter_modules([folder])}
        for name, is_package in known.items():
            if prefix == top and name in skip:
                continue
            names.append(prefix + name)
            if is_package:
                folders.append((str(Path(folder) / name), f"{prefix}{name}."))
        for inside in sorted(Path(folder).iterdir()):
            is_left_out = inside.is_dir() and inside.name not in known and inside.name not in skip
            if is_left_out and (lost := next(inside.rglob("*.py"), None)):
                raise ImportError(f"{lost} is not imported: {inside} has no __init__.py")
    return sorted(names)


def modules_below(package: ModuleType, skip: Collection[str] = ()) -> list[ModuleType]:
    """Import every module below a package; see `names_below`."""
    return [importlib.import_module(name) for name in names_below(package, skip)]
