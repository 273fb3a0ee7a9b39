"""A taken port is found, with its holder and the way out."""

import os
import socket
from collections.abc import Iterator

import psutil
import pytest

from conf import Settings
from infra.local.errors import Refused
from infra.local.parts import Port
from infra.local.processes import ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_holder_of_a_port_is_named(taken: int) -> None:
    assert ports.holders()[taken].pid == os.getpid()
    assert not ports.is_free(taken)


def test_a_foreign_holder_is_refused_with_the_setting_that_moves_the_port(taken: int, stack_settings: Settings) -> None:
    settings = stack_settings.model_copy(update={"kafka_port": taken})
    with pytest.raises(Refused) as refusal:
        ports.check(settings, [Port("kafka", "Kafka"), Port("minio", "MinIO")], ours=[])
    sentence = str(refusal.value)
    assert f"Port {taken}, for Kafka, is taken by {psutil.Process().name()} (pid {os.getpid()})" in sentence
    assert "SAUDA_KAFKA_PORT=" in sentence
    assert refusal.value.code == 2


def test_our_own_process_may_hold_it(taken: int, stack_settings: Settings) -> None:
    settings = stack_settings.model_copy(update={"kafka_port": taken})
    ports.check(settings, [Port("kafka", "Kafka")], ours=[os.getpid()])


def test_all_taken_ports_are_told_at_once(taken: int, stack_settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = stack_settings.model_copy(update={"kafka_port": taken, "minio_port": other.getsockname()[1]})
        with pytest.raises(Refused) as refusal:
            ports.check(settings, [Port("kafka", "Kafka"), Port("minio", "MinIO")], ours=[])
    assert len(str(refusal.value).splitlines()) == 2


def test_one_port_for_two_parts_is_refused(stack_settings: Settings) -> None:
    settings = stack_settings.model_copy(update={"minio_port": stack_settings.port("kafka")})
    with pytest.raises(Refused, match=r"is set for both Kafka and MinIO"):
        ports.check(settings, [Port("kafka", "Kafka"), Port("minio", "MinIO")], ours=[])


def test_a_process_of_another_user_is_called_so(
    taken: int, stack_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [line._replace(pid=None) for line in psutil.net_connections(kind="tcp")]
    monkeypatch.setattr(psutil, "net_connections", lambda **_: seen)
    settings = stack_settings.model_copy(update={"history_port": taken})
    with pytest.raises(Refused, match="a process of another user"):
        ports.check(settings, [Port("history", "the Spark History Server")], ours=[])


def test_a_proposed_port_is_free(taken: int) -> None:
    proposal = ports.free_port(taken, avoid={taken + 10_000, taken + 1})
    assert proposal not in (taken, taken + 10_000, taken + 1)
    assert ports.is_free(proposal)
