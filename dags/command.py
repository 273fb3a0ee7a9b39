"""One of our commands as a task of Airflow."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import BaseOperator
from airflow.sdk.bases.xcom import BaseXCom
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from dags.alerts import tell

MISTAKE = 2
"""The exit code of our commands for what trying again cannot mend: a wrong token, a wrong name."""
GATED = 3
"""Their exit code for what did not pass a gate: trying again would find the same."""
STOPPED = "stopped"
"""What their JSON calls a check or a table that a gate stopped."""
LEASED = frozenset({"jobs.commands.run", "jobs.commands.reconcile"})
"""The commands that hold the lease of a domain's tables, and fail where another process holds it."""
DEFAULTS: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=30),
    "execution_timeout": timedelta(hours=6),
    "on_failure_callback": tell,
}
"""What every task has: retries further and further apart, a timeout, an alert when the last try failed."""
NO_BACKFILL = ("scheduled", "manual")
"""The runs of a DAG that collects what is there today: a backfill's would all do the same, at once."""


def pool(domain: str) -> str:
    """Airflow's pool of one slot for the commands that hold a domain's lease; made where its database is migrated.

    Neither `max_active_runs` of a DAG nor a backfill knows of the tasks of other DAGs. The domains do not wait for one
    another.
    """
    return f"jobs_{domain}"


class Command(BaseOperator):
    """Runs ``python -m MODULE ARGUMENTS`` in Sauda's environment; empty arguments are left out.

    `domain` is the one whose tables a command writes or compares; a command that holds a lease needs it.

    Its output is the task's log. A last line of JSON is what the task hands on, also where it fails. Airflow's own
    passwords are not handed to the command; ours come in its environment and never on its command line.
    """

    template_fields: Sequence[str] = ("arguments",)
    ui_color = "#eef4ff"

    def __init__(self, *, module: str, arguments: Sequence[str] = (), domain: str = "", **options: Any) -> None:
        if module in LEASED and not domain:
            raise ValueError(f"{module} holds the lease of a domain: say which")
        super().__init__(**(DEFAULTS | ({"pool": pool(domain)} if module in LEASED else {}) | options))
        self.module = module
        self.arguments = list(arguments)
        self._hook: SubprocessHook | None = None

    def execute(self, context: Any) -> Any:
        """Raises AirflowFailException, which is not tried again, for the user's mistake and for what a gate stopped."""
        words = [os.environ["SAUDA_PYTHON"], "-m", self.module, *filter(None, self.arguments)]
        self._hook = SubprocessHook()
        done = self._hook.run_command(words, env=environment(os.environ), cwd=os.environ["SAUDA_REPOSITORY"])
        output_json = read(done.output)
        if done.exit_code:
            if output_json:
                # Airflow keeps what a task returns, and one that fails returns nothing.
                context["ti"].xcom_push(BaseXCom.XCOM_RETURN_KEY, output_json)
            raise failure(self.module, done.exit_code, output_json, done.output)
        return output_json or None

    def on_kill(self) -> None:
        """Ends the command with its children: each of ours leaves things so that it can be run again."""
        with contextlib.suppress(ProcessLookupError):
            if self._hook:
                self._hook.send_sigterm()


def reconcile(domain: str, **options: Any) -> Command:
    """The task that compares a domain's tables in the lake and in ClickHouse."""
    return Command(
        task_id="reconcile", module="jobs.commands.reconcile", arguments=["--json", f"--domain={domain}"],
        domain=domain, **options,
    )  # fmt: skip


def read(line: str) -> dict[str, Any]:
    """The JSON object of a command's last line; nothing where that line is another, an interpreter's warning say."""
    with contextlib.suppress(ValueError):
        output_json = json.loads(line)
        return output_json if isinstance(output_json, dict) else {}
    return {}


def failure(module: str, code: int, output_json: Mapping[str, Any], output: str) -> AirflowException:
    """Why a command failed: what its JSON calls the error, else `output`, its last line."""
    output = str(output_json.get("error") or output)
    if code == MISTAKE:
        return AirflowFailException(f"{module} cannot be run as it stands: {output}")
    if code == GATED:
        return AirflowFailException(f"A gate stopped {module}: {'; '.join(stopped(output_json)) or output[-2000:]}")
    return AirflowException(f"{module} ended with code {code}: {output[-2000:]}")


def stopped(output_json: Mapping[str, Any]) -> list[str]:
    """What the gates found, as sentences: of `jobs.commands.check` its checks, of `jobs.commands.run` its tables."""
    checks = [f"{c['table_name']}: {c['sentence']}" for c in output_json.get("checks", []) if c["outcome"] == STOPPED]
    tables = [f"{t['table']}: {t['message']}" for t in output_json.get("tables", []) if t["state"] == STOPPED]
    return [*checks, *tables]


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The variables for a command of ours: all but Airflow's, whose passwords are none of its business."""
    return {name: value for name, value in given.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))}
