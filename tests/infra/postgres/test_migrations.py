"""The chain of migrations, as Alembic reads it; what they make is tested on a real server."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from conf import REPOSITORY

FOLDER = REPOSITORY / "infra" / "postgres" / "migrations"


def test_there_is_one_chain_and_each_step_has_its_module() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    scripts = ScriptDirectory.from_config(config)
    steps = list(scripts.walk_revisions())
    modules = {file.stem for file in (FOLDER / "versions").glob("v*.py")}

    assert len(scripts.get_heads()) == 1
    assert {Path(step.path).stem for step in steps} == modules
    assert all(Path(step.path).stem.startswith(f"v{step.revision}_") for step in steps)
