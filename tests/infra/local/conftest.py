"""A stack in a folder of its own; nothing of it runs."""

from pathlib import Path

import pytest

from conf import Settings


@pytest.fixture
def stack_settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home with space", stack="unit", port_offset=21_000)
