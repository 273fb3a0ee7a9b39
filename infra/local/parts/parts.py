"""The parts of a stack: how each is started, how one sees that it answers, and which ports it takes."""

from __future__ import annotations

import hashlib
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from conf import LOOPBACK, REPOSITORY, Settings
from conf.domains.procurement import ProcurementSettings
from conf.stream_progress import kafka_admin, stream_progress
from infra.local.processes import owner
from infra.local.servers import airflow, postgres
from infra.local.tools.jars import pyspark_jars

if TYPE_CHECKING:
    pass

Probe = Callable[[Settings], str | None]


@dataclass(frozen=True)
class Part:
    """A supervised process. `env` may hold secrets, `command` never: everybody on the machine can read it in `ps`."""

    name: str
    command: list[str]
    env: dict[str, str] = field(default_factory=dict, repr=False)
    ports: tuple[str, ...] = ()
    stop_seconds: int = 5
    stop_signal: str = "TERM"
    starts_itself: bool = False
    """With the supervisor, and not when a command starts it."""


CORE = ("kafka", "minio", "clickhouse")
"""The parts that hold data; the others work on it."""

TITLES = {
    "kafka": "Kafka",
    "minio": "MinIO",
    "clickhouse": "ClickHouse",
    "stream": "Stream",
    "history": "Spark History Server",
    "standin": "Stand-in of goszakup",
    "postgres": "PostgreSQL",
    "api": "REST API",
    "airflow": "Airflow",
    "airflow_scheduler": "Airflow's scheduler",
    "airflow_dags": "Airflow's reader of DAGs",
    "guard": "Guard of disk and supervisor",
}
PORT_TITLES = {
    "kafka": "Kafka",
    "kafka_controller": "Kafka's controller",
    "minio": "MinIO",
    "minio_console": "MinIO's console",
    "clickhouse": "ClickHouse over HTTP",
    "clickhouse_tcp": "ClickHouse over TCP",
    "spark_ui": "the stream's Spark UI",
    "job_ui": "the jobs' Spark UI",
    "history": "the Spark History Server",
    "metrics": "the stream's metrics",
    "supervisor": "the supervisor",
    "goszakup_standin": "the stand-in of goszakup",
    "postgres": "PostgreSQL",
    "api": "the REST API",
    "airflow": "Airflow",
}


def here(settings: Settings) -> list[str]:
    """The parts that this machine runs; PostgreSQL may run elsewhere, and without a database there is no Airflow."""
    left_out = {"postgres"} if settings.postgres_url else set()
    if not settings.airflow_database:
        left_out |= set(airflow.PARTS)
    return [name for name in TITLES if name not in left_out]


def parts(settings: Settings, java_home: Path, minio: Path) -> dict[str, Part]:
    """All parts of the stack by name."""
    java = str(java_home / "bin" / "java")
    kafka_files = settings.run / "kafka"
    found = [
        Part(
            "kafka",
            [
                java,
                # Serial collector and a small heap: the broker's work is in the page cache, not on the heap.
                *("-Xms200m", "-Xmx400m", "-XX:+UseSerialGC", "-XX:-UsePerfData"),
                f"-Dlog4j2.configurationFile={(kafka_files / 'log4j2.xml').as_uri()}",
                *("-cp", f"{settings.jars / 'kafka'}/*", "kafka.Kafka", str(kafka_files / "kraft.properties")),
            ],
            env=_configured_by(kafka_files),
            ports=("kafka", "kafka_controller"),
            stop_seconds=20,
        ),
        Part(
            "minio",
            [
                *(str(minio), "server", "--quiet"),
                *("--address", f"{LOOPBACK}:{settings.port('minio')}"),
                *("--console-address", f"{LOOPBACK}:{settings.port('minio_console')}"),
                str(settings.data / "minio"),
            ],
            env={
                "MINIO_ROOT_USER": settings.s3_key,
                "MINIO_ROOT_PASSWORD": settings.s3_secret,
                "MINIO_BROWSER": "on",
                "MINIO_UPDATE": "off",
                "GOMEMLIMIT": "500MiB",
            },
            ports=("minio", "minio_console"),
        ),
        Part(
            "clickhouse",
            [
                *owner.as_user(owner.DAEMON, [*owner.python(), REPOSITORY, settings.run, settings.data, settings.logs]),
                *(sys.executable, "-m", "infra.local.servers.clickhouse_server"),
                *map(str, (settings.run / "clickhouse", *clickhouse_folders(settings))),
            ],
            env=_configured_by(settings.run / "clickhouse"),
            ports=("clickhouse", "clickhouse_tcp"),
            stop_seconds=3,
        ),
        Part(
            "postgres",
            postgres.command(settings),
            ports=("postgres",),
            stop_seconds=10,
            # Its word for: end the sessions and stop. TERM would wait until they end by themselves.
            stop_signal="INT",
        ),
        Part(
            "stream",
            [
                sys.executable,
                "-m",
                "infra.local.processes.single_instance",
                "stream",
                sys.executable,
                "-m",
                "streaming.run",
            ],
            # The supervisor keeps the environment of its own start: a setting changed since then comes this way.
            # What it was told of Kafka's login it keeps for life.
            env=settings.environment() | _configured_by(kafka_files),
            ports=("spark_ui", "metrics"),
            stop_seconds=30,
        ),
        Part(
            "api",
            [sys.executable, "-m", "api"],
            env=settings.environment() | _configured_by(kafka_files),
            ports=("api",),
            # Requests under way, and then what waits for Kafka.
            stop_seconds=settings.api_stop_seconds + int(settings.api_kafka_seconds) + 5,
        ),
        Part(
            "standin",
            [
                *(sys.executable, "-m", "standins.goszakup"),
                *("--port", str(settings.port("goszakup_standin"))),
                *("--lots", str(ProcurementSettings.of(settings).goszakup_standin_lots)),
                *("--truths", str(settings.data / "goszakup-truths.json")),
            ],
            env={"SAUDA_GOSZAKUP_TOKEN": settings.secret("goszakup_standin")},
            ports=("goszakup_standin",),
        ),
        Part(
            "history",
            [
                *(java, "-Xmx256m", "-XX:+UseSerialGC", "-XX:-UsePerfData"),
                *(f"-D{key}={value}" for key, value in _history_options(settings).items()),
                *("-cp", f"{pyspark_jars()}/*"),
                "org.apache.spark.deploy.history.HistoryServer",
            ],
            # Without it the History Server listens on every address.
            env={"SPARK_LOCAL_IP": LOOPBACK},
            ports=("history",),
        ),
        *(
            Part(
                name,
                command,
                env=airflow.environment(settings),
                ports=("airflow",) if name == "airflow" else (),
                stop_seconds=20,
            )
            for name, command in airflow.commands(settings).items()
        ),
        Part(
            "guard",
            [sys.executable, "-m", "infra.local.processes.disk_guard"],
            env=settings.environment(),
            starts_itself=True,
        ),
    ]
    return {part.name: part for part in found if part.name in here(settings)}


def clickhouse_folders(settings: Settings) -> tuple[Path, Path]:
    """What ClickHouse writes to: its data and its logs."""
    return settings.data / "clickhouse", settings.logs / "clickhouse"


def _configured_by(folder: Path) -> dict[str, str]:
    """A variable that changes with the part's own files, so that the supervisor restarts it when they change."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*.*") if path.is_file()):
        digest.update(file.read_bytes())
    return {"SAUDA_FILES": digest.hexdigest()[:16]}


def _history_options(settings: Settings) -> dict[str, str]:
    history = "spark.history."
    return {
        history + "ui.port": str(settings.port("history")),
        # No URI: it would look for a folder with %20 in its name.
        history + "fs.logDirectory": str(settings.data / "spark-events"),
        history + "fs.update.interval": "5s",
        history + "fs.cleaner.enabled": "true",
        history + "fs.cleaner.maxAge": "21d",
        history + "retainedApplications": "5",
    }


def _get(url: str, timeout: float = 2.0) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _kafka(settings: Settings) -> str | None:
    # The client waits two seconds for a broker that is not there; this tells at once.
    host, _, port = settings.kafka.partition(",")[0].rpartition(":")
    socket.create_connection((host, int(port)), timeout=2).close()
    brokers = kafka_admin(settings).list_topics(timeout=2).brokers
    return None if brokers else "no broker is registered yet"


def _minio(settings: Settings) -> str | None:
    status, _ = _get(f"{settings.s3}/minio/health/ready")
    return None if status == 200 else f"its health check answers {status}"


def _clickhouse(settings: Settings) -> str | None:
    host, port = settings.clickhouse
    request = urllib.request.Request(
        f"http://{host}:{port}/?query=SELECT+1",
        headers={"X-ClickHouse-User": settings.clickhouse_user, "X-ClickHouse-Key": settings.clickhouse_secret},
    )
    try:
        with urllib.request.urlopen(request, timeout=3) as answer:
            return None if answer.read().strip() == b"1" else "it does not count to one"
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode(errors="replace").strip()[:300]


def _stream(settings: Settings) -> str | None:
    return None if stream_progress(settings).get("ready") else "its queries are still starting"


def _history(settings: Settings) -> str | None:
    status, _ = _get(f"http://{LOOPBACK}:{settings.port('history')}/api/v1/version")
    return None if status == 200 else f"it answers {status}"


def _api(settings: Settings) -> str | None:
    status, _ = _get(f"http://{LOOPBACK}:{settings.port('api')}/healthz")
    return None if status == 200 else f"it answers {status}"


def _standin(settings: Settings) -> str | None:
    # Without a token it refuses, and so shows that it is there.
    status, _ = _get(f"http://{LOOPBACK}:{settings.port('goszakup_standin')}/v3/lots")
    return None if status in (401, 403) else f"it answers {status}"


PROBES: dict[str, Probe] = {
    "kafka": _kafka,
    "minio": _minio,
    "clickhouse": _clickhouse,
    "stream": _stream,
    "history": _history,
    "standin": _standin,
    "postgres": postgres.trouble,
    "api": _api,
    **{name: partial(airflow.trouble, name=name) for name in airflow.PARTS},
    # It has no port: the supervisor knows whether it lives.
    "guard": lambda _: None,
}


def trouble(settings: Settings, name: str) -> str | None:
    """None when the part answers as it should, else a sentence."""
    try:
        return PROBES[name](settings)
    except Exception as error:
        # A probe talks to a part that may be in any state; whatever it raises means "no answer".
        return _silence(error)


def _silence(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else None
    cause = reason if isinstance(reason, Exception) else error
    match cause:
        case ConnectionRefusedError():
            return "nothing listens on its port"
        case TimeoutError():
            return "it takes too long to answer"
    return f"it does not answer ({type(cause).__name__})"
