"""Kafka: one broker that is its own controller."""

from __future__ import annotations

import socket

from conf import Settings, disk
from conf.stream_progress import kafka_admin
from infra.local import config_files
from infra.local.errors import Refused
from infra.local.parts import Machine, Part, Port, configured_by


def command(machine: Machine) -> list[str]:
    files = machine.settings.run / "kafka"
    return [
        machine.java,
        # Serial collector and a small heap: the broker's work is in the page cache, not on the heap.
        *("-Xms200m", "-Xmx400m", "-XX:+UseSerialGC", "-XX:-UsePerfData"),
        f"-Dlog4j2.configurationFile={(files / 'log4j2.xml').as_uri()}",
        *("-cp", f"{machine.settings.jars / 'kafka'}/*", "kafka.Kafka", str(files / "kraft.properties")),
    ]


def probe(settings: Settings) -> str | None:
    # The client waits two seconds for a broker that is not there; this tells at once.
    host, _, port = settings.kafka.partition(",")[0].rpartition(":")
    socket.create_connection((host, int(port)), timeout=2).close()
    brokers = kafka_admin(settings).list_topics(timeout=2).brokers
    return None if brokers else "no broker is registered yet"


def prepare(machine: Machine) -> str:
    if full := disk.shortage(machine.settings):
        raise Refused(f"Kafka is not started. {full} SAUDA_HOME=/another/disk puts all elsewhere.")
    config_files.format_kafka(machine.settings, machine.java_home)
    return ""


PARTS = (
    Part(
        "kafka",
        "Kafka",
        order=10,
        command=command,
        probe=probe,
        ports=(Port("kafka", "Kafka"), Port("kafka_controller", "Kafka's controller")),
        env=lambda settings: configured_by(settings.run / "kafka"),
        after=("Jars of Kafka",),
        prepare=prepare,
        holds_data=True,
        patience_seconds=90,
        stop_seconds=20,
    ),
)
