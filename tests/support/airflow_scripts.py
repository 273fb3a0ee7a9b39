"""Scripts of tests, run by Airflow's interpreter, where nothing of the stack is installed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conf import REPOSITORY, settings


def by_airflow(script: str, *words: str | Path) -> Any:
    """What a script in `tests/dags` prints as JSON in its last line; no setting of ours is in its environment."""
    python = settings().tools / "airflow" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"Airflow's environment is missing ({python}): ./start.sh test makes it")
    home = settings().home / "cache" / "airflow-tests"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SAUDA_", "AIRFLOW"))}
    env |= {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PYTHONPATH": str(REPOSITORY)}
    env |= {"AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
    done = subprocess.run(
        [python, REPOSITORY / "tests" / "dags" / script, *words],
        env=env, cwd=home.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])
