"""The ports that people know by heart, and how a stack moves them."""

from __future__ import annotations

from pathlib import Path

import pytest

from conf import Settings
from conf.addresses import addresses
from conf.domain_settings import default_ports
from conf.settings import PORT_OFFSETS

KNOWN = {"api": 8000, "minio_console": 9001, "airflow": 8081, "history": 8080, "clickhouse": 8123}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [*(f"SAUDA_{port.upper()}_PORT" for port in default_ports()), "SAUDA_PORT_OFFSET", "SAUDA_STACK"]:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_what_people_open_is_where_they_expect_it(home: Path) -> None:
    settings = Settings(home=home)

    assert {name: settings.port(name) for name in KNOWN} == KNOWN


@pytest.mark.parametrize(
    ("title", "url"),
    [
        ("Page: what flows right now", "http://127.0.0.1:8000/"),
        ("MinIO console", "http://127.0.0.1:9001/"),
        ("Airflow", "http://127.0.0.1:8081/"),
        ("Spark History Server (finished jobs)", "http://127.0.0.1:8080/"),
        ("ClickHouse over HTTP", "http://127.0.0.1:8123"),
    ],
)
def test_the_list_of_addresses_names_them(home: Path, title: str, url: str) -> None:
    assert {each.title: each.url for each in addresses(Settings(home=home))}[title] == url


@pytest.mark.parametrize("stack", ["test", "bench"])
def test_the_other_stacks_stand_beside_it(home: Path, stack: str) -> None:
    main, other = Settings(home=home), Settings(home=home, stack=stack)

    assert {other.port(name) - main.port(name) for name in default_ports()} == {PORT_OFFSETS[stack]}
    assert not {other.port(name) for name in default_ports()} & set(default_ports().values())


def test_no_two_parts_share_a_port() -> None:
    assert len(set(default_ports().values())) == len(default_ports())
