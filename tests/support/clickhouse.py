"""A ClickHouse for one test: chdb in a process of its own, which shares no library with Spark's Python."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PROGRAM = """
import sys
import chdb
sys.stdout.write(str(chdb.query(sys.stdin.read(), "JSONCompactEachRow", path=sys.argv[1])))
"""


def answers(folder: Path, statements: Sequence[str]) -> list[list[Any]]:
    """The rows of the queries among the statements, which are run in order. Tables stay in the folder."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        input=";\n".join(statements), text=True, capture_output=True, cwd=folder, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
