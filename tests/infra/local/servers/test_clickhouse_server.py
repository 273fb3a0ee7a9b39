"""The local ClickHouse, asked as a stranger and as `reader` would who wants more than is theirs."""

from __future__ import annotations

import concurrent.futures
import json
import os
import pwd
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.live import queries
from api.purchases import versions
from conf import LOOPBACK, Settings
from infra.local import config_files
from infra.local.processes import landlock, owner
from infra.local.servers import clickhouse_server
from tests.support.clickhouse_server import Server, started

needs_landlock = pytest.mark.skipif(not landlock.version(), reason="the kernel has no Landlock")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with started(tmp_path_factory.mktemp("home")) as actual:
        yield actual


@pytest.mark.parametrize("user", ["default", "", "sauda", "reader", "nobody"])
def test_without_a_password_nobody_is_answered(server: Server, user: str) -> None:
    refused = server.look("?query=SELECT+1", user=user, password="")[1]
    assert refused.startswith("Code: ")
    assert "SELECT" not in refused
    assert server.look(f"?query=SELECT+1&user={user}&session_id=a")[1].startswith("Code: ")


def test_over_tcp_nobody_is_default_either(server: Server) -> None:
    from clickhouse_driver import Client
    from clickhouse_driver.errors import Error

    with pytest.raises(Error, match="session count"):
        Client(LOOPBACK, port=server.settings.port("clickhouse_tcp"), user="default").execute("SELECT 1")


def test_sessions_that_clients_go_on_with_stand_beside_each_other(server: Server) -> None:
    """Only `default` has one session: BI tools name theirs, ask in it again, and are several."""
    for _ in range(2):
        for session in "abc":
            assert server.look(f"?query=SELECT+1&session_id={session}", user="reader")[1] == "1"


@pytest.mark.parametrize("question", [queries.QUIET, versions.HASHES.partition("SETTINGS")[2]])
def test_the_page_and_the_api_may_set_what_they_set(server: Server, question: str) -> None:
    settings = question.replace("SETTINGS", "").partition("FORMAT")[0]

    assert server.ask(f"SELECT 1 SETTINGS {settings}") == "1"


def test_no_page_of_another_address_may_read_an_answer(server: Server) -> None:
    statements = [
        server.look("", method="OPTIONS"),
        server.look("ping"),
        server.look("?query=SELECT+1&add_http_cors_header=1", user="reader"),
        server.look("?query=SELECT+1&add_http_cors_header=1", user="default"),
        server.look("?query=SELECT+1", user="reader"),
        server.look("play"),
    ]
    assert not [headers for headers, _ in statements if "Access-Control-Allow-Origin" in headers]
    assert statements[-2][1] == "1"


def test_no_client_runs_within_the_server(server: Server) -> None:
    """A client reads and writes files as the process that it runs in, whatever its user was granted."""
    assert "<html" in server.look("play")[1]
    assert "<html" not in server.look("webterminal")[1]


@needs_landlock
def test_nobody_reads_a_file_that_the_server_does_not_need(server: Server) -> None:
    chosen = server.settings
    secret = [
        "/etc/passwd", "/etc/shadow", "/proc/self/environ", "/proc/self/mem", str(Path(__file__)),
        str(chosen.stack_home / "secrets.json"), str(chosen.run / "clickhouse" / clickhouse_server.SECRETS),
        str(chosen.logs / "clickhouse.log"),
    ]  # fmt: skip
    assert (chosen.run / "clickhouse" / clickhouse_server.SECRETS).exists()
    reported = {
        path: server.ask(f"SELECT length(file('{path}'))", user) for path in secret for user in ("reader", "sauda")
    }

    assert {path: answer for path, answer in reported.items() if "CANNOT_OPEN_FILE" not in answer} == {}


@needs_landlock
def test_what_it_may_read_tells_no_secret(server: Server) -> None:
    folder = server.settings.run / "clickhouse"
    secrets = server.settings.secrets
    for name in ("config.xml", "users.xml"):
        text = server.ask(f"SELECT file('{folder / name}')")
        assert "clickhouse" in text
        assert not [s for s in (secrets.minio, secrets.clickhouse, secrets.clickhouse_reader) if s in text]


def test_its_environment_holds_no_secret_of_the_stack(server: Server) -> None:
    """Neither those that it was handed (the supervisor's has all settings), nor the lake's, once it listens."""
    shown = Path(f"/proc/{server.process.pid}/environ").read_bytes().decode()
    held = dict(pair.split("=", 1) for pair in shown.split("\0") if pair)
    assert "HOME" in os.environ
    assert "HOME" not in held
    assert held["SAUDA_LAKE_SECRET"] == "." * len(server.settings.s3_secret)
    assert not [name for name, value in held.items() if value in server.settings.secrets.by_name().values()]


def test_the_lakes_key_reaches_its_named_collection(server: Server) -> None:
    """The server says what is wrong with an address, not that it has no key."""
    sql = "SELECT * FROM s3(lake, url = 'http://127.0.0.1:1/bucket/x.csv')"
    answer = server.ask(sql, "sauda", s3_retry_attempts="0")
    assert "refused" in answer, answer


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a process to another user")
def test_root_runs_it_as_another_user_who_may_write_nothing_but_its_own(server: Server) -> None:
    user = pwd.getpwnam(owner.DAEMON)
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines())
    assert set(status["Uid"].split()) == {str(user.pw_uid)}
    # At most: pass through folders and read, which Landlock narrows to what it needs.
    assert int(status["CapEff"], 16) in (0, 1 << 2)
    data = server.settings.data / "clickhouse"
    assert {path.stat().st_uid for path in (data, *data.rglob("*"))} == {user.pw_uid}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM python('x')",
        "SELECT * FROM Python(x)",
        "DESCRIBE TABLE python('x')",
        "SELECT (SELECT count() FROM python('x'))",
        "SELECT * FROM python('x') SETTINGS allow_python_table_function = 1",
        "SELECT * FROM eval('SELECT * FROM python(''x'')') SETTINGS allow_experimental_eval_table_function = 1",
    ],
)
@pytest.mark.parametrize("user", ["reader", "sauda"])
def test_python_does_not_end_the_server(server: Server, sql: str, user: str) -> None:
    assert "Python table function is disabled" in server.ask(sql, user)
    assert server.ask("SELECT 1") == "1"


@pytest.mark.parametrize(
    "sql",
    [
        "SYSTEM STOP LISTEN HTTP",
        "SYSTEM STOP LISTEN QUERIES ALL",
        "SYSTEM SHUTDOWN",
        "SYSTEM KILL",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM files.`/etc/passwd`",
        "SELECT * FROM url('http://127.0.0.1:1/x', 'LineAsString', 'l String')",
        "SELECT * FROM s3('http://127.0.0.1:1/bucket/x', 'k', 's', 'CSV', 'a String')",
        "SELECT * FROM s3(lake, url = 'http://127.0.0.1:1/bucket/x')",
        "SELECT * FROM remote('127.0.0.1', 'system.one')",
        "SELECT * FROM executable('x', 'TSV', 'a String')",
        "SELECT * FROM sqlite('/tmp/x', 'y')",
        "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'u', 'p')",
        "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'u', 'p')",
        "SELECT * FROM format(CSV, '1')",
        "CREATE TABLE default.t (a Int8) ENGINE = Memory",
        "CREATE DATABASE mine",
        "CREATE FUNCTION f AS x -> x",
        "INSERT INTO FUNCTION file('/tmp/x', 'CSV', 'a Int8') VALUES (1)",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "BACKUP DATABASE default TO File('/tmp/x')",
        "EXECUTE AS sauda SELECT 1",
        "GRANT ALL ON *.* TO reader",
        "SELECT addressToLine(1) SETTINGS allow_introspection_functions = 1",
        "SELECT " + "(" * 100_000 + "1" + ")" * 100_000,
        "SELECT groupArray(number) FROM numbers(1000000000)",
        "SELECT length(repeat('x', 1000000000))",
    ],
)
def test_reader_is_refused(server: Server, sql: str) -> None:
    answer = server.ask(sql)
    assert re.match(r"Code: \d+\. DB::\w*Exception", answer), answer[:200]
    assert server.ask("SELECT 1") == "1"


LIMITS = (
    "max_execution_time", "max_memory_usage", "max_result_rows", "max_result_bytes", "max_query_size",
    "max_bytes_before_external_group_by", "max_bytes_before_external_sort", "max_memory_usage_for_user",
    "max_concurrent_queries_for_user", "max_sessions_for_user", "max_parser_depth", "max_ast_depth", "max_ast_elements",
    "max_temporary_data_on_disk_size_for_query", "max_temporary_data_on_disk_size_for_user",
)  # fmt: skip


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("value", ["0", "1000000000000"])
def test_reader_cannot_lift_a_limit(server: Server, limit: str, value: str) -> None:
    """0 means none."""
    assert "SETTING_CONSTRAINT_VIOLATION" in server.ask("SELECT 1", **{limit: value})
    assert "SETTING_CONSTRAINT_VIOLATION" in server.ask(f"SELECT 1 SETTINGS {limit} = {value}")


WAITS = (
    "max_local_read_bandwidth", "max_local_write_bandwidth", "max_remote_read_network_bandwidth",
    "max_network_bandwidth", "max_network_bandwidth_for_user", "max_network_bandwidth_for_all_users",
    "sleep_in_send_data_ms", "sleep_after_receiving_query_ms", "merge_tree_storage_snapshot_sleep_ms",
    "ast_fuzzer_runs",
)  # fmt: skip


@pytest.mark.parametrize("setting", WAITS)
def test_reader_cannot_make_a_query_that_outlives_its_limit(server: Server, setting: str) -> None:
    """With a bandwidth of one byte a second a query of 120 s at most went on for ever."""
    assert "SETTING_CONSTRAINT_VIOLATION" in server.ask("SELECT 1", **{setting: "1"})


def test_reader_may_set_what_drivers_set(server: Server) -> None:
    sent = {"max_result_rows": "200", "result_overflow_mode": "break", "max_execution_time": "30"}
    assert server.ask("SELECT currentDatabase()", database="default", **sent) == "default"


def test_many_sleeping_queries_leave_room_for_the_application(server: Server) -> None:
    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        statements = [pool.submit(server.ask, "SELECT sleep(1.5)") for _ in range(60)]
        wait = threading.Event()
        while int(server.ask("SELECT count() FROM system.processes WHERE user = 'reader'", "sauda")) < 30:
            assert not wait.wait(0.02)
        assert server.ask("SELECT 1", "sauda") == "1"
        answers = [one.result() for one in statements]
    assert sum(answer == "0" for answer in answers) == 30
    assert sum("Too many simultaneous queries" in answer for answer in answers) == 30


def test_a_name_that_is_no_table_is_no_file_either(server: Server) -> None:
    """clickhouse-local would look for a file of this name, and ask for the right to read it."""
    assert server.ask("CREATE DATABASE IF NOT EXISTS silver", "sauda") == ""
    statement = "CREATE TABLE IF NOT EXISTS silver.t (a Int64, b Int64) ENGINE = MergeTree ORDER BY a"
    assert server.ask(statement, "sauda") == ""
    for sql in ("SELECT * FROM t", "SELECT a FROM silver.t AS x WHERE EXISTS (SELECT 1 FROM x WHERE b = x.a)"):
        assert "UNKNOWN_TABLE" in server.ask(sql)
    correlated = "SELECT a, (SELECT max(b) FROM silver.t AS y WHERE y.a = x.a) FROM silver.t AS x"
    assert server.ask(correlated) == ""
    assert server.ask("SELECT a FROM silver.t AS x WHERE EXISTS (SELECT 1 FROM silver.t AS y WHERE y.a = x.b)") == ""


def test_what_crosses_the_network_is_compressed_as_jdbc_reads_it(server: Server) -> None:
    for user in ("reader", "sauda"):
        assert server.ask("SELECT getSetting('network_compression_method')", user) == "LZ4"


def test_a_closed_port_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """However it was closed: the supervisor sees a process that ends, and no port that is closed."""
    ended: list[int] = []
    monkeypatch.setattr(clickhouse_server.os, "kill", lambda pid, _: ended.append(pid))
    monkeypatch.setattr(clickhouse_server.os, "_exit", ended.append)
    forgotten: list[dict[str, str]] = []
    monkeypatch.setattr(clickhouse_server, "fill", forgotten.append)
    with socket.create_server((LOOPBACK, 0)) as one, socket.create_server((LOOPBACK, 0)) as other:
        addresses = [one.getsockname(), other.getsockname()]
        guarding = threading.Thread(
            target=clickhouse_server.guard, args=(addresses, {"NAME": "secret"}, 0.01), daemon=True
        )
        guarding.start()
        wait = threading.Event()
        while not forgotten:
            assert not wait.wait(0.01)
        assert guarding.is_alive()
        assert not ended
        other.close()
        guarding.join(timeout=10)
    assert forgotten == [{"NAME": "......"}]
    assert ended == [os.getpid(), 1]


def test_a_kernel_without_landlock_is_said_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    clickhouse_server.restrict(tmp_path, tmp_path)
    assert capsys.readouterr().out == clickhouse_server.UNGUARDED + "\n"


@needs_landlock
def test_a_restricted_process_keeps_what_it_named(tmp_path: Path) -> None:
    for name in ("read", "written", "hidden"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    program = (
        "import json, sys\nfrom pathlib import Path\nfrom infra.local.processes import landlock\n"
        f"home = Path({str(tmp_path)!r})\nlandlock.restrict([home / 'read'], [home / 'written', home / 'not there'])\n"
        "import os\ndone = {}\n"
        "def attempt(name, action):\n"
        "    try: done[name] = bool(action())\n"
        "    except OSError: done[name] = False\n"
        "attempt('read', (home / 'read' / 'file').read_text)\n"
        "attempt('write there', lambda: (home / 'read' / 'new').write_text('x'))\n"
        "attempt('written', lambda: (home / 'written' / 'new').write_text('x'))\n"
        "attempt('moved', lambda: (home / 'written' / 'new').rename(home / 'written' / 'moved'))\n"
        "attempt('hidden', (home / 'hidden' / 'file').read_text)\n"
        "attempt('through a link', lambda: os.symlink(home / 'hidden', home / 'written' / 'link') or"
        " (home / 'written' / 'link' / 'file').read_text())\n"
        "attempt('run', lambda: os.posix_spawn('/bin/true', ['true'], {}))\n"
        "print(json.dumps(done))\n"
    )
    completed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )

    assert {name for name, worked in json.loads(completed.stdout).items() if worked} == {"read", "written", "moved"}


def test_the_lakes_key_is_in_a_file_of_its_own(stack_settings: Settings) -> None:
    config_files.write_clickhouse(stack_settings)
    folder = stack_settings.run / "clickhouse"
    assert json.loads((folder / clickhouse_server.SECRETS).read_text()) == {
        "SAUDA_LAKE_KEY": stack_settings.s3_key,
        "SAUDA_LAKE_SECRET": stack_settings.s3_secret,
    }
    assert (folder / clickhouse_server.SECRETS).stat().st_mode & 0o777 == 0o600
    assert stack_settings.s3_secret not in (folder / "config.xml").read_text()


def test_what_an_older_start_left_is_given_to_the_user_who_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "store").mkdir(parents=True)
    (tmp_path / "data" / "store" / "part").write_text("")
    user = pwd.getpwnam(owner.DAEMON)
    given: list[tuple[object, ...]] = []

    def chown(path: Path, *ids: int, follow_symlinks: bool) -> None:
        assert not follow_symlinks
        given.append((path.name, *ids))

    monkeypatch.setattr(owner.os, "geteuid", lambda: 0)
    monkeypatch.setattr(owner.os, "chown", chown)
    owner.give(owner.DAEMON, tmp_path / "data")

    ids = (user.pw_uid, user.pw_gid)
    assert given == [("store", *ids), ("part", *ids), ("data", *ids)]
