"""Run by Airflow's interpreter: executes `Command` on the modules of a folder, and prints what became of each."""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from airflow.sdk.bases.operator import ExecutorSafeguard

from dags.command import Command

ExecutorSafeguard.test_mode = True
folder = Path(sys.argv[1])
os.environ |= {"SAUDA_PYTHON": sys.executable, "SAUDA_REPOSITORY": str(folder), "PYTHONPATH": str(folder)}
os.environ |= {"SAUDA_OF_OURS": "1", "AIRFLOW__CORE__FERNET_KEY": "of Airflow"}


class Instance:
    """Keeps what a task hands on although it fails."""

    def __init__(self) -> None:
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def became_of(task: Command) -> dict[str, Any]:
    instance = Instance()
    try:
        returned, error = task.execute({"ti": instance}), None
    except Exception as raised:
        returned, error = None, raised
    return {
        "returned": returned,
        "pushed": instance.pushed,
        "error": type(error).__name__ if error else None,
        "message": str(error) if error else "",
    }


def killed() -> dict[str, Any]:
    """A command that is ended in mid-run, when it has said where it is."""
    task = Command(task_id="slow", module="slow")

    def kill() -> None:
        end = time.monotonic() + 60
        while not (folder / "pids").exists() and time.monotonic() < end:
            time.sleep(0.02)
        task.on_kill()

    ends = threading.Thread(target=kill)
    ends.start()
    actual = became_of(task)
    ends.join()
    # What has ended cannot be ended, and is no error.
    task.on_kill()
    return actual


Command(task_id="never", module="never").on_kill()
modules = sorted(path.stem for path in folder.glob("*.py"))
actual = {
    name: killed() if name == "slow" else became_of(Command(task_id=name, module=name, arguments=["a", "", "--b"]))
    for name in modules
}
print(json.dumps(actual))
