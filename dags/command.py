"""One of our commands as a task of Airflow."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from dags.alerts import tell

MISTAKE = 2
"""The exit code of our commands for what trying again cannot mend: a wrong token, a wrong name."""
STOPPED = "stopped"
"""The state, in a command's JSON, of what did not pass a gate: trying again would find the same."""
DEFAULTS: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=30),
    "execution_timeout": timedelta(hours=6),
    "on_failure_callback": tell,
}
"""What every task has: retries further and further apart, a timeout, an alert when the last try failed."""


class Command(BaseOperator):
    """Runs ``python -m MODULE ARGUMENTS`` in Sauda's environment; empty arguments are left out.

    Its output is the task's log. A last line of JSON is what the task hands on. Airflow's own passwords are not handed
    to the command; ours come in its environment and never on its command line.
    """

    template_fields: Sequence[str] = ("arguments",)
    ui_color = "#eef4ff"

    def __init__(self, *, module: str, arguments: Sequence[str] = (), **options: Any) -> None:
        super().__init__(**(DEFAULTS | options))
        self.module = module
        self.arguments = list(arguments)

    def execute(self, context: Any) -> Any:  # noqa: ARG002
        """Raises AirflowFailException, which is not tried again, for the user's mistake and for what a gate stopped."""
        words = [os.environ["SAUDA_PYTHON"], "-m", self.module, *filter(None, self.arguments)]
        self._hook = SubprocessHook()
        done = self._hook.run_command(words, env=environment(os.environ), cwd=os.environ["SAUDA_REPOSITORY"])
        told = json.loads(done.output) if done.output.startswith("{") else {}
        if done.exit_code == MISTAKE:
            raise AirflowFailException(f"{self.module} cannot be run as it stands: {done.output}")
        if told.get("state") == STOPPED:
            raise AirflowFailException(f"A gate stopped {self.module}: {'; '.join(stopped(told)) or done.output}")
        if done.exit_code:
            raise AirflowException(f"{self.module} ended with code {done.exit_code}: {done.output[-2000:]}")
        return told or None

    def on_kill(self) -> None:
        """Ends the command with its children: each of ours leaves things so that it can be run again."""
        self._hook.send_sigterm()


def stopped(told: Mapping[str, Any]) -> list[str]:
    """What the gates found, as sentences: of `jobs.check` its checks, of `jobs.run` its tables."""
    checks = [f"{c['table_name']}: {c['sentence']}" for c in told.get("checks", []) if c["outcome"] == STOPPED]
    tables = [f"{t['table']}: {t['message']}" for t in told.get("tables", []) if t["state"] == STOPPED]
    return [*checks, *tables]


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The variables for a command of ours: all but Airflow's, whose passwords are none of its business."""
    return {name: value for name, value in given.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))}
