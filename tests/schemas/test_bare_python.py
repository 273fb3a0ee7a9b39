"""Contracts are read where nothing of the stack is installed."""

import subprocess
import sys

from conf import REPOSITORY

PROGRAM = """
import sys

class OnlyTheStandardLibrary:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top != "schemas":
            raise ImportError(f"{name} is not in the standard library")

sys.meta_path.insert(0, OnlyTheStandardLibrary())
try:
    import pyspark
except ImportError:
    pass
else:
    sys.exit("the hook does not work")

import importlib, pkgutil
import schemas
from schemas.contract import contracts

names = [m.name for m in pkgutil.walk_packages(schemas.__path__, "schemas.")]
for name in names:
    importlib.import_module(name)
print(len(names), len(contracts()))
"""


def test_every_module_of_schemas_imports_with_the_standard_library_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n{PROGRAM}"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    modules, declared = map(int, done.stdout.split())
    assert modules > 10
    assert declared > 5
