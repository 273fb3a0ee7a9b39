"""The groups of the tests, and the time that each may take."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conf import REPOSITORY

TOLERANCE = 1.5
"""A group fails when it takes more than this times its budget."""
LOOP = "sum(i * i for i in range(30_000_000))"


@dataclass(frozen=True)
class Budgets:
    """`[tool.sauda.tests]` of pyproject.toml: seconds a group, on a machine that runs the loop in `loop_seconds`."""

    seconds: Mapping[str, float]
    loop_seconds: float

    @classmethod
    def read(cls, pyproject: Path = REPOSITORY / "pyproject.toml") -> Budgets:
        given = tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["sauda"]["tests"]
        return cls(given["budgets"], given["loop_seconds"])

    def overrun(self, group: str, seconds: float, loops: Sequence[float]) -> str:
        """The sentence where a group took too long, else an empty text.

        `loops` are measurements of this machine, made before and after the tests, while none ran. A slower or busier
        machine gets as much more time, a faster one no less.
        """
        budget = self.seconds.get(group)
        if budget is None:
            return f"{group} has no budget: give it one in [tool.sauda.tests] of pyproject.toml"
        slowness = max(1.0, statistics.fmean(loops) / self.loop_seconds)
        if seconds <= budget * slowness * TOLERANCE:
            return ""
        machine = f" on a machine {slowness:.1f} times slower than the budget's" if slowness > 1.05 else ""
        return (
            f"{group} took {seconds:.0f} s, {seconds / budget:.1f} times its budget of {budget:.0f} s{machine}; "
            "make it faster, or raise the budget in pyproject.toml and say why"
        )


def measure_machine(processes: int = 2) -> float:
    """Seconds for a fixed loop of Python on two cores at once, whatever else the machine does meanwhile."""
    loop = f"import time; t = time.monotonic(); {LOOP}; print(time.monotonic() - t)"
    began = [
        subprocess.Popen([sys.executable, "-S", "-c", loop], stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    return max(float(child.communicate()[0]) for child in began)


def service_groups() -> list[str]:
    """The folders of service tests in the order in which they run: what kills comes after what only looks."""
    first = ("flows", "crash", "page")
    folders = {p.name for p in (REPOSITORY / "tests" / "services").iterdir() if any(p.rglob("test_*.py"))}
    return [name for name in first if name in folders] + sorted(folders.difference(first))
