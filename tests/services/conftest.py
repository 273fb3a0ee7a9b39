"""The real parts, brought up by `./start.sh test`, and a stream that tests may start, kill and start again.

Two workers share the stack. What a test does to the stack's stream, leases, tables or parts, another would notice: all
such tests are one after the other on one worker, which is what a test gets that says nothing. A module marked `beside`
has a warehouse or a stack of its own and shares only parts that nobody kills meanwhile: it runs on the other worker.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from conf import REPOSITORY, Settings, settings
from tests.support.ledger_check import Judge
from tests.support.stream import Parts, Stream


class TwoGroups(LoadScopeScheduling):
    """Keeps all modules that share the stack on one worker, and all that are marked `beside` on another."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(REPOSITORY / nodeid.partition("::")[0])


@cache
def group_of(module: Path) -> str:
    return "beside" if "pytest.mark.beside" in module.read_text(encoding="utf-8") else "stack"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TwoGroups:
    # Not `--dist loadgroup`: with this version of pytest, xdist 3.8 spreads the tests of a group over all workers.
    return TwoGroups(config, log)


@pytest.fixture(scope="session")
def chosen() -> Settings:
    """The test stack's settings. Tests write and kill: they must never run against the stack that people use."""
    actual = settings()
    if actual.stack == "main":
        pytest.exit("service tests need their own stack: ./start.sh test", returncode=2)
    return actual


@pytest.fixture(scope="session")
def parts(chosen: Settings) -> Parts:
    return Parts(chosen)


@pytest.fixture(scope="session")
def judge(chosen: Settings) -> Judge:
    return Judge(chosen)


@pytest.fixture(scope="session")
def stream(chosen: Settings) -> Iterator[Stream]:
    """One stream for all tests; each leaves it running or stopped as it likes."""
    created = Stream(chosen)
    yield created
    created.stop()
