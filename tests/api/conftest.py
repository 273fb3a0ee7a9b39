"""An API for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.asking import Client, client


@pytest.fixture
def api(tmp_path: Path) -> Client:
    return client(tmp_path)
