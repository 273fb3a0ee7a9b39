"""A Kafka of an older version, which let everybody in, is closed by the next start and has lost nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from conf import LOOPBACK, Settings
from conf.connect import consumer_config, kafka_config
from conf.stream_progress import topic_ends
from infra.local import config_files, parts
from infra.local.processes import permissions
from infra.local.tools import java
from tests.support.ports import free_ports
from tests.support.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]

EVENTS = 100
# What there was of names and passwords in the properties of the version before.
OPEN = {
    "listeners": "PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}",
    "advertised.listeners": "PLAINTEXT://{host}:{port}",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
}


@pytest.fixture
def own(chosen: Settings, tmp_path: Path) -> Settings:
    """A stack of its own, with the tools of this one."""
    home = tmp_path / "sau da"
    home.mkdir()
    (home / "tools").symlink_to(chosen.tools)
    kafka_port, controller_port = free_ports(2)
    settings = Settings(home=home, stack="old", kafka_port=kafka_port, kafka_controller_port=controller_port)
    permissions.close(settings)
    config_files.write_kafka(settings)
    return settings


def open_up(settings: Settings) -> None:
    """Write the properties as the version before did."""
    file = settings.run / "kafka" / "kraft.properties"
    ports = {"port": settings.port("kafka"), "controller": settings.port("kafka_controller")}
    kept = [line for line in file.read_text().splitlines() if "sasl" not in line.partition("=")[0]]
    kept = [line for line in kept if line.partition("=")[0] not in (*OPEN, "authorizer.class.name", "super.users")]
    kept += [f"{name}={value.format(host=LOOPBACK, **ports)}" for name, value in OPEN.items()]
    file.write_text("\n".join(kept))


@contextmanager
def running(settings: Settings, java_home: Path, **client: str) -> Iterator[AdminClient]:
    """The broker with the properties that are there, and a client of it."""
    command = parts.processes(parts.Machine(settings, java_home, Path("minio")))["kafka"].command
    log_file = settings.logs / "kafka.log"
    with log_file.open("ab") as log:
        broker = subprocess.Popen(command, cwd=settings.run, stdout=log, stderr=log)
    admin = AdminClient({"bootstrap.servers": settings.kafka, "log_level": 0} | client)

    def ended_or_answers() -> bool:
        if broker.poll() is not None:
            return True
        return bool(admin.list_topics(timeout=1).brokers)

    try:
        until("Kafka to answer", ended_or_answers, 60)
        assert broker.poll() is None, log_file.read_text()[-2000:]
        yield admin
    finally:
        broker.terminate()
        broker.wait(30)


def test_an_older_kafka_is_closed_and_keeps_what_it_has(own: Settings, chosen: Settings) -> None:
    java_home = java.remembered(chosen)
    assert java_home
    open_up(own)
    config_files.format_kafka(own, java_home)
    with running(own, java_home) as admin:
        admin.create_topics([NewTopic("purchases", 3, 1)])["purchases"].result(20)
        producer = Producer({"bootstrap.servers": own.kafka, "log_level": 0})
        for number in range(EVENTS):
            producer.produce("purchases", f"{number}", f"{number}")
        assert producer.flush(20) == 0

    assert config_files.write_kafka(own), "the supervisor starts it anew when its files have changed"
    config_files.format_kafka(own, java_home)
    with running(own, java_home, **kafka_config(own)):
        assert sum(topic_ends(own)["purchases"].values()) == EVENTS
        consumer = Consumer(consumer_config(own, "test") | {"auto.offset.reset": "earliest"})
        consumer.subscribe(["purchases"])
        read: set[bytes] = set()

        def all_read() -> bool:
            read.update(record.value() for record in consumer.consume(EVENTS, 1))
            return len(read) == EVENTS

        until("all events", all_read, 30)
        consumer.close()
        with pytest.raises(KafkaException):
            AdminClient({"bootstrap.servers": own.kafka, "log_level": 0}).list_topics(timeout=2)
