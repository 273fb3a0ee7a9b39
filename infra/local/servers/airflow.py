"""Airflow: its environment, its settings, its database. Its DAGs run our commands in our own environment."""

from __future__ import annotations

import hashlib
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from conf import LOOPBACK, REPOSITORY, Settings
from conf.addresses import AIRFLOW_USER, page
from conf.airflow_health import AIRFLOW_HEALTH, HEALTHY, airflow_states
from infra.local.config_files import write_private
from infra.local.processes import children
from infra.local.tools import uv
from schemas.contract import tables

PROJECT = REPOSITORY / "infra" / "airflow"
PARTS = ("airflow", "airflow_scheduler", "airflow_dags")


def pools() -> dict[str, dict[str, str | int]]:
    """A pool of one slot a domain, for tasks that hold its lease (dags/command.py); without it Airflow starts none."""
    domains = sorted({table.domain for table in tables() if table.delta})
    return {
        f"jobs_{d}": {"slots": 1, "description": f"Tasks that write or compare {d}, one at a time."} for d in domains
    }


def home(settings: Settings) -> Path:
    """The virtual environment."""
    return settings.tools / "airflow"


def ensure(settings: Settings, say: Callable[[str], None]) -> str:
    """Make the environment of infra/airflow/uv.lock unless it is there."""
    if not uv.is_current(PROJECT, home(settings)):
        say("by uv")
    uv.sync(settings, PROJECT, home(settings))
    return ""


def commands(settings: Settings) -> dict[str, list[str]]:
    """Part → its command. Task logs are read from the folder they lie in, so nothing serves them."""
    airflow = str(home(settings) / "bin" / "airflow")
    port = str(settings.port("airflow"))
    return {
        "airflow": [airflow, "api-server", "--host", LOOPBACK, "--port", port, "--workers", "1"],
        "airflow_scheduler": [airflow, "scheduler", "--skip-serve-logs"],
        "airflow_dags": [airflow, "dag-processor"],
    }


def environment(settings: Settings) -> dict[str, str]:
    """The variables of each of its processes, secrets among them; tasks hand ours on to our commands."""
    address = page(settings, "airflow")
    database = settings.airflow_database.partition("://")[2]
    secrets = settings.secrets
    given = {
        "CORE__DAGS_FOLDER": REPOSITORY / "dags",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": 4,
        "CORE__MAX_ACTIVE_RUNS_PER_DAG": 1,
        "CORE__DEFAULT_TIMEZONE": "utc",
        "CORE__FERNET_KEY": secrets.airflow_fernet,
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{AIRFLOW_USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": _passwords(settings),
        "API__BASE_URL": address,
        "API__SECRET_KEY": secrets.airflow_signing,
        "API_AUTH__JWT_SECRET": secrets.airflow_signing,
        "DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
        "DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{database}",
        "CORE__DAEMON_UMASK": "0o077",
        "LOGGING__BASE_LOG_FOLDER": settings.logs / "airflow",
        # It sets these itself, whatever the umask.
        "LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
        "LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        # The dag-processor writes a file a DAG file and day of its own; nobody reads them.
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": settings.logs / "airflow" / "dag_processor",
        "DAG_PROCESSOR__PARSING_PROCESSES": 1,
        "DAG_PROCESSOR__REFRESH_INTERVAL": 30,
        "SCHEDULER__CATCHUP_BY_DEFAULT": False,
        # A task whose process was killed, or its scheduler with it, is tried again after a minute and a half, not five.
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 30,
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 90,
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 10,
        "USAGE_DATA_COLLECTION__ENABLED": False,
    }
    return settings.environment() | {
        "AIRFLOW_HOME": str(settings.data / "airflow"),
        # Its processes write their titles over their environment, by whose mark we find them again.
        "SPT_NOENV": "1",
        "SAUDA_PYTHON": sys.executable,
        "SAUDA_REPOSITORY": str(REPOSITORY),
        **{f"AIRFLOW__{name}": str(value) for name, value in given.items()},
    }


def _passwords(settings: Settings) -> Path:
    return settings.run / "airflow" / "passwords.json"


def migrate(settings: Settings, java_home: Path) -> str:
    """Bring its database to the version of this Airflow, and make its pools; once for each state of these."""
    write_private(_passwords(settings), json.dumps({AIRFLOW_USER: settings.secrets.airflow}))
    pools_file = json.dumps(pools())
    stamp = settings.data / "airflow" / ".migrated"
    state = (PROJECT / "uv.lock").read_bytes() + settings.airflow_database.encode() + pools_file.encode()
    wanted = hashlib.sha256(state).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return ""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    listed = settings.data / "airflow" / "pools.json"
    listed.write_text(pools_file)
    env = children.environment(settings, java_home, part="migrate") | environment(settings)
    for name, words in {
        "migrate": ["db", "migrate"],
        "pools": ["pools", "import", str(listed)],
    }.items():
        command = [str(home(settings) / "bin" / "airflow"), *words]
        children.run(command, "Airflow's database", env=env, log=settings.logs / f"airflow_{name}.log")
    stamp.write_text(wanted)
    return "migrated"


def trouble(settings: Settings, name: str) -> str | None:
    """None when that part of Airflow fares well, else a sentence; the API server knows of the others."""
    url = page(settings, "airflow") + AIRFLOW_HEALTH
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            health = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return f"its health check answers {error.code}"
    except OSError:
        if name == "airflow":
            raise
        return "Airflow's API server, which knows how it fares, does not answer"
    state = airflow_states(health)[name]
    return None if state == HEALTHY else f"its health is {state}"
