"""The real parts, brought up by `./start.sh test`, and a stream that tests may start, kill and start again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conf import Settings, settings
from tests.support.judge import Judge
from tests.support.stream import Parts, Stream


@pytest.fixture(scope="session")
def chosen() -> Settings:
    """The test stack's settings. Tests write and kill: they must never run against the stack that people use."""
    found = settings()
    if found.stack == "main":
        pytest.exit("service tests need their own stack: ./start.sh test", returncode=2)
    return found


@pytest.fixture(scope="session")
def parts(chosen: Settings) -> Parts:
    return Parts(chosen)


@pytest.fixture(scope="session")
def judge(chosen: Settings) -> Judge:
    return Judge(chosen)


@pytest.fixture(scope="session")
def stream(chosen: Settings) -> Iterator[Stream]:
    """One stream for all tests; each leaves it running or stopped as it likes."""
    made = Stream(chosen)
    yield made
    made.stop()
