"""One small world for all tests that only read it; who moves the clock makes a world of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.standins.goszakup.asking import Client, client_of


@pytest.fixture(scope="session")
def client() -> Client:
    return client_of(lots=1000, seed=1)


@pytest.fixture(scope="session")
def endpoints() -> list[dict[str, Any]]:
    """The 74 endpoints as the service documents them."""
    actual = orjson.loads((Path(__file__).parent / "endpoints.json").read_bytes())["endpoints"]
    assert len(actual) == 74
    return list(actual)
