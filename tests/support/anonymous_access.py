"""What stands behind each port of a stack, as somebody on the same machine asks it who has no password."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable

import psutil
import psycopg
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from conf import Settings
from conf.connect import kafka_config
from infra.local.processes import children

NOBODY = 65_534
Answer = tuple[int, str]


def ask(address: str, *, host: str = "", method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
    """Status and text, whatever the status."""
    given = {name.replace("_", "-"): value for name, value in headers.items()} | ({"Host": host} if host else {})
    request = urllib.request.Request(f"http://{address}", data=body, headers=given, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")


def no_secret(settings: Settings, text: str) -> bool:
    return not [name for name, value in settings.secrets.by_name().items() if value in text]


# Each of these raises AssertionError where a port says more than it should.


def kafka(settings: Settings, at: str) -> None:
    login = kafka_config(settings) | {"bootstrap.servers": at}
    strangers = {
        "without a login": {"bootstrap.servers": at},
        "with a wrong password": login | {"sasl.password": "guess"},
        "as the broker": login | {"sasl.username": "broker", "sasl.password": ""},
    }
    for who, config in strangers.items():
        with pytest.raises(KafkaException):
            pytest.fail(f"{who}: {AdminClient(config | {'log_level': 0}).list_topics(timeout=2).topics}")


def minio(settings: Settings, at: str) -> None:
    lake = (f"{settings.bucket}/", f"{settings.bucket}/{settings.warehouse_prefix}/")
    for path in ("", *lake, "minio/admin/v3/info", "minio/v2/metrics/cluster"):
        assert ask(f"{at}/{path}")[0] == 403, path


def minio_console(_: Settings, at: str) -> None:
    assert ask(f"{at}/api/v1/buckets")[0] in (401, 403)
    wrong = b'{"accessKey": "sauda", "secretKey": "minioadmin"}'
    assert ask(f"{at}/api/v1/login", method="POST", body=wrong, Content_Type="application/json")[0] == 401


def clickhouse(_: Settings, at: str) -> None:
    for user, key in {"": "", "default": "", "reader": "guess", "sauda": ""}.items():
        status, text = ask(f"{at}/?query=SELECT+1", X_ClickHouse_User=user, X_ClickHouse_Key=key)
        assert status != 200, f"{user}: {text}"


def clickhouse_tcp(_: Settings, at: str) -> None:
    def word(text: str) -> bytes:
        return bytes([len(text)]) + text.encode()

    hello = b"\x00" + word("stranger") + b"\x18\x01\xa9\xa9\x03" + word("") + word("reader") + word("guess")
    exception = b"\x02"
    assert exchange(at, hello)[:1] == exception


def postgres(settings: Settings, at: str) -> None:
    host, _, port = at.partition(":")
    own = settings.secrets.airflow_database
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(host=host, port=port, user="airflow", password=own, dbname="sauda", connect_timeout=5)
    for user, password in {"sauda": "guess", "postgres": "postgres", "airflow": ""}.items():
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=host, port=port, user=user, password=password, dbname="sauda", connect_timeout=5)


def airflow(_: Settings, at: str) -> None:
    for path in ("dags", "connections", "variables", "config"):
        assert ask(f"{at}/api/v2/{path}")[0] == 401, path
    wrong = b'{"username": "sauda", "password": "sauda"}'
    assert ask(f"{at}/auth/token", method="POST", body=wrong, Content_Type="application/json")[0] == 401
    assert ask(f"{at}/auth/token")[0] != 201, "every visitor would be an administrator"


def supervisor(_: Settings, at: str) -> None:
    call = b"<?xml version='1.0'?><methodCall><methodName>supervisor.shutdown</methodName></methodCall>"
    assert ask(f"{at}/")[0] == 401
    assert ask(f"{at}/RPC2", method="POST", body=call, Content_Type="text/xml")[0] == 401


def spark_ui(settings: Settings, at: str) -> None:
    """It is open to look at, and README says so; nothing is stopped by it, and no password is in it."""
    (app,) = [line.split('"')[3] for line in ask(f"{at}/api/v1/applications")[1].splitlines() if '"id"' in line]
    _, environment = ask(f"{at}/api/v1/applications/{app}/environment")
    properties = "".join(environment.split())
    assert '["spark.ui.killEnabled","false"]' in properties
    assert '["spark.authenticate","true"]' in properties
    pages = ["jobs/", "SQL/", "StreamingQuery/", "environment/"]
    pages += [f"api/v1/applications/{app}/{name}" for name in ("jobs", "stages", "sql?details=true")]
    for page in pages:
        assert no_secret(settings, ask(f"{at}/{page}")[1]), page


def history(settings: Settings, at: str) -> None:
    status, text = ask(f"{at}/api/v1/applications")
    assert status == 200
    for line in text.splitlines():
        if '"id"' in line:
            assert no_secret(settings, ask(f"{at}/api/v1/applications/{line.split(chr(34))[3]}/environment")[1])


def metrics(settings: Settings, at: str) -> None:
    for path in ("metrics", "progress", "recent"):
        status, text = ask(f"{at}/{path}")
        assert status == 200
        assert no_secret(settings, text)
        assert ask(f"{at}/{path}", host="evil.example")[0] == 421, "a page of the web could read it"


def api(settings: Settings, at: str) -> None:
    for path in ("v1/sellers", "v1/customers", "v1/products", "v1/analytics/sales"):
        assert ask(f"{at}/{path}")[0] in (401, 404), path
    assert ask(f"{at}/v1/sellers")[0] == 401
    assert ask(f"{at}/v1/purchases", method="POST", body=b"{}", Content_Type="application/json")[0] == 401
    for path in ("", "live", "v1/sellers", "metrics"):
        assert ask(f"{at}/{path}", host="evil.example")[0] == 421, "a page of the web could read it"
    assert no_secret(settings, ask(f"{at}/metrics")[1])


def goszakup_standin(_: Settings, at: str) -> None:
    for path in ("v3/lots", "standin/world", "standin/counts"):
        assert ask(f"{at}/{path}")[0] in (401, 403), path


REFUSALS: dict[str, Callable[[Settings, str], None]] = {
    "kafka": kafka,
    "kafka_controller": kafka,
    "minio": minio,
    "minio_console": minio_console,
    "clickhouse": clickhouse,
    "clickhouse_tcp": clickhouse_tcp,
    "postgres": postgres,
    "airflow": airflow,
    "supervisor": supervisor,
    "spark_ui": spark_ui,
    "history": history,
    "metrics": metrics,
    "api": api,
    "goszakup_standin": goszakup_standin,
}


def exchange(at: str, words: bytes) -> bytes:
    """What a port answers to these bytes, to another user where we may be one."""
    host, _, port = at.partition(":")
    if os.geteuid() == 0:
        # Reads until the other side has nothing more to say.
        script = f"exec 3<>/dev/tcp/{host}/{port}; cat >&3; timeout 2 cat <&3"
        command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "/bin/bash", "-c", script]
        return subprocess.run(command, input=words, capture_output=True, check=False, cwd="/").stdout
    with socket.create_connection((host, int(port)), timeout=2) as peer:
        peer.sendall(words)
        try:
            return peer.recv(4096)
        except (TimeoutError, ConnectionError):
            return b""


def listeners(settings: Settings) -> dict[int, tuple[str, psutil.Process]]:
    """Port → its address and its process, of everything that belongs to the stack."""
    actual = {}
    for process, _ in children.marked(settings):
        # One that has ended meanwhile listens no more.
        with contextlib.suppress(psutil.NoSuchProcess):
            for connection in process.net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN:
                    actual[connection.laddr.port] = (connection.laddr.ip.removeprefix("::ffff:"), process)
    return actual
