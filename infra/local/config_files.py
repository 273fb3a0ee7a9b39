"""The parts' own configuration files, filled in from templates under infra/ at each start."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from string import Template
from xml.sax.saxutils import escape

from conf import LOOPBACK, REPOSITORY, Settings
from conf.connect import jaas
from conf.settings import KAFKA_USER
from infra.local.errors import Failed, Refused
from infra.local.processes import owner

CLICKHOUSE_MEMORY = 1536 * 1024 * 1024
UNUSABLE = (":", ",", "\n", " ;", " #")
"""In a folder's name: Java, Kafka and Spark split lists of folders there, the supervisor sees a comment."""
KAFKA_BROKER = "broker"
"""The broker's own user of Kafka."""
ENGINES = (
    *("MergeTree", "ReplacingMergeTree", "SummingMergeTree", "AggregatingMergeTree"),
    *("CollapsingMergeTree", "VersionedCollapsingMergeTree", "Memory", "Null", "Join", "Set", "Buffer"),
)


def check_names(settings: Settings) -> None:
    """`Refused` where our folders have names that the parts cannot be told."""
    for place in (settings.home, REPOSITORY):
        if odd := [sign for sign in UNUSABLE if sign in str(place)]:
            raise Refused(
                f"{place} has {' '.join(map(repr, odd))} in its name, where Java and Spark would split it. "
                "Move it to a folder without."
            )


def write_private(path: Path, text: str) -> bool:
    """Write a file that only its owner can read, whole or not at all. True when its content changed."""
    if path.exists() and path.read_text() == text and path.stat().st_mode & 0o777 == 0o600:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
    fresh.replace(path)
    return True


def fill(template: Path, values: dict[str, object]) -> str:
    """The template with its ``${names}`` filled in; KeyError when one is missing."""
    return Template(template.read_text()).substitute({name: str(value) for name, value in values.items()})


def write_clickhouse(settings: Settings) -> None:
    """config.xml, users.xml and the lake's key of this stack. Passwords are kept as hashes, the key in clear: mode 600.

    The key is in a file of its own, for the server can read the other two as long as it runs.
    """
    folder = settings.run / "clickhouse"
    templates = REPOSITORY / "infra" / "clickhouse"
    config: dict[str, object] = {
        "host": LOOPBACK,
        "http_port": settings.port("clickhouse"),
        "tcp_port": settings.port("clickhouse_tcp"),
        "logs": escape(str(settings.logs / "clickhouse")),
        "memory": CLICKHOUSE_MEMORY,
    }
    lake = {"SAUDA_LAKE_KEY": settings.s3_key, "SAUDA_LAKE_SECRET": settings.s3_secret}
    users: dict[str, object] = {
        "sauda_sha256": _sha256(settings.secrets.clickhouse),
        "reader_sha256": _sha256(settings.secrets.clickhouse_reader),
        "engine_grants": "\n        ".join(f"<query>GRANT TABLE ENGINE ON {name}</query>" for name in ENGINES),
    }
    write_private(folder / "config.xml", fill(templates / "config.xml", config))
    write_private(folder / "lake.json", json.dumps(lake))
    write_private(folder / "users.xml", fill(templates / "users.xml", users))
    # The server adds what lies in this folder to users.xml.
    write_private(folder / "users.d" / "chdb.xml", (templates / "chdb.xml").read_text())
    for path in (folder, *folder.rglob("*")):
        owner.give(owner.DAEMON, path)


def _sha256(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def write_kafka(settings: Settings) -> bool:
    """Kafka's properties, the passwords of its users among them, and logging. True where they have changed."""
    secrets = settings.secrets
    templates = REPOSITORY / "infra" / "kafka"
    values: dict[str, object] = {
        "host": LOOPBACK,
        "port": settings.port("kafka"),
        "controller_port": settings.port("kafka_controller"),
        "data": _property(settings.data / "kafka"),
        "broker": KAFKA_BROKER,
        "client": KAFKA_USER,
        "client_jaas": _jaas_server(secrets.kafka_broker, **{KAFKA_USER: secrets.kafka}),
        # Only the broker talks with the controller.
        "controller_jaas": _jaas_server(secrets.kafka_broker),
    }
    folder = settings.run / "kafka"
    logging = write_private(folder / "log4j2.xml", (templates / "log4j2.xml").read_text())
    return write_private(folder / "kraft.properties", fill(templates / "kraft.properties", values)) or logging


def _jaas_server(broker: str, **users: str) -> str:
    """Whom a listener lets in, by name and password: these users, and the broker, who logs in with the same entry."""
    known = {f"user_{name}": password for name, password in (users | {KAFKA_BROKER: broker}).items()}
    return jaas("PLAIN", username=KAFKA_BROKER, password=broker, **known)


def _property(value: object) -> str:
    """A value of a Java properties file, which is read as Latin-1."""
    plain = str(value).replace("\\", "\\\\")
    # Beyond the first 65,536 characters Java counts in pairs.
    units = plain.encode("utf-16-be")
    pairs = (units[place : place + 2] for place in range(0, len(units), 2))
    return "".join(chr(pair[1]) if pair < b"\x00\x7f" else f"\\u{pair.hex()}" for pair in pairs)


def format_kafka(settings: Settings, java_home: Path) -> None:
    """Give a new data folder its cluster id. A formatted one is left as it is."""
    data = settings.data / "kafka"
    if (data / "meta.properties").exists():
        return
    data.mkdir(parents=True, exist_ok=True)
    folder = settings.run / "kafka"
    done = subprocess.run(
        [
            *(str(java_home / "bin" / "java"), "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *(f"-Dlog4j2.configurationFile={(folder / 'log4j2.xml').as_uri()}", "-cp", f"{settings.jars / 'kafka'}/*"),
            *("kafka.tools.StorageTool", "format", "--ignore-formatted"),
            *("-t", settings.secrets.kafka_cluster_id, "-c", str(folder / "kraft.properties")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"Kafka's data folder cannot be formatted:\n{(done.stdout + done.stderr).strip()[-1500:]}")
