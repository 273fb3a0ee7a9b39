"""``python -m infra.local.servers.clickhouse_server CONFIG DATA LOGS``: a ClickHouse server from PyPI's chdb-core.

chdb holds the whole server; what it runs is clickhouse-local, which reads ``config.xml`` of the current folder and
listens when asked to. A cluster runs the ordinary clickhouse-server with the same ``users.xml``.

What that leaves open is closed here: before it listens, the process gives up every path that it does not need
(`landlock`), for this build reads any file for anybody who may ask anything; the lake's key comes from a file that it
then cannot read any more; and it ends when its ports are closed, so that the supervisor starts it again.

Never create a table with the Kafka engine in it: the server would refuse to start afterwards (users.xml does not
grant that engine).
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import json
import os
import signal
import socket
import sys
import sysconfig
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from infra.local.processes import landlock

# The folder `default` of clickhouse-local is an overlay of the file system: a name that is no table would be read as a
# file. So that database is called something else (config.xml), and `default` is one like any other.
#
# One row a second, as long as nobody stops it: the listeners live as long as this query. It looks for a signal
# between two rows, so SIGTERM ends it in about a second. SIGKILL is harmless too: parts of tables are written
# beside the old ones and renamed.
LISTEN = """
CREATE DATABASE IF NOT EXISTS default;
SYSTEM START LISTEN HTTP;
SYSTEM START LISTEN TCP;
SELECT sleepEachRow(1) FROM system.numbers LIMIT 100000000
SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0, log_queries = 0
FORMAT Null
"""
SECRETS = "lake.json"
"""Beside config.xml: variables by name, which config.xml takes by ``from_env``. Once it is restricted, the process
cannot read it again."""
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
KEPT = ("SAUDA_PART", "SAUDA_FILES", "PATH", "PYTHONPATH", "PYTHONPYCACHEPREFIX", "LANG", "TZ", *CERTIFICATES)
KEPT_KINDS = ("LC_", "http_proxy", "https_proxy", "no_proxy")
"""What is left of the environment that a supervisor hands on: it may hold the passwords of other parts."""
SETTLED = {"PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "1"}
"""Else Python may add a variable. The library finds the kernel's facts (auxv) behind the list of variables, where they
are only as long as nobody has added one: it then follows a wild pointer."""

CLOSED_FOR_GOOD = 3
"""So often a port must be found free, a second apart, before it counts as closed."""
UNGUARDED = "The kernel has no Landlock (Linux 5.19 or newer): ClickHouse's users can read what its process can read."

READ = (
    # The system's libraries, and what they ask for names and time zones.
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/usr/share/locale", "/etc/localtime"),
    *("/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/hosts", "/etc/resolv.conf", "/run/systemd/resolve"),
    *("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"),
    # Its measure of the machine and of itself; its environment and its memory are not among them.
    *("/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/loadavg", "/proc/uptime", "/proc/self/statm"),
    *("/proc/self/stat", "/proc/self/maps", "/proc/self/cgroup", "/sys/devices/system/cpu", "/sys/fs/cgroup"),
)
WRITE = ("/dev/null", "/dev/random", "/dev/urandom")


def harmless(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that may be in an environment which every user of ClickHouse could come to read."""
    return {
        name: value for name, value in environment.items()
        if name in KEPT or name.lower().startswith(tuple(kind.lower() for kind in KEPT_KINDS))
    }  # fmt: skip


def readable(config_folder: Path) -> list[Path]:
    """What the process may read and run, once it is restricted: the interpreter, its libraries, its configuration."""
    python = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    python |= {sysconfig.get_config_var("LIBDIR") or ""}
    python |= {os.environ.get(name, "") for name in CERTIFICATES}
    named = [config_folder / name for name in ("config.xml", "users.xml", "users.d")]
    return [*named, *(Path(path) for path in sorted({*READ, *python} - {""}))]


def restrict(config_folder: Path, *written: Path) -> None:
    """Give up every path that ClickHouse does not need; one line says so where the kernel cannot."""
    if not landlock.restrict(readable(config_folder), [*written, *map(Path, WRITE)]):
        print(UNGUARDED, flush=True)


def ports(config_folder: Path) -> list[tuple[str, int]]:
    """Where it is to listen."""
    root = ET.parse(config_folder / "config.xml").getroot()
    host = root.findtext("listen_host") or ""
    return [(host, int(root.findtext(name) or 0)) for name in ("http_port", "tcp_port")]


def places(secrets: Mapping[str, str]) -> dict[str, str]:
    """Variables as long as the secrets, which tell nothing."""
    return {name: "." * len(value.encode()) for name, value in secrets.items()}


def fill(values: Mapping[str, str]) -> None:
    """Write into variables that the process was started with, where they lie: to set one would add it elsewhere, and
    what the kernel shows of the environment would be as it was. Each must be as long as what is there."""
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_void_p
    for name, value in values.items():
        place = libc.getenv(name.encode())
        content = value.encode()
        if place and len(ctypes.string_at(place)) == len(content):
            ctypes.memmove(place, content, len(content))


def guard(addresses: Iterable[tuple[str, int]], secrets: Mapping[str, str], pause: float = 1.0) -> None:
    """Forget the secrets once it listens, and end the process when a port is closed afterwards."""
    watched = list(addresses)
    while not all(map(listens, watched)):
        time.sleep(pause / 5)
    fill(places(secrets))
    closed = 0
    while closed < CLOSED_FOR_GOOD:
        time.sleep(pause)
        closed = 0 if all(map(listens, watched)) else closed + 1
    print("A port of ClickHouse is closed although it runs: it ends, and the supervisor starts it again.", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10 * pause)
    os._exit(1)


def listens(address: tuple[str, int]) -> bool:
    """Whether the port is taken. Nobody is asked, for each question would be a line in the log."""
    with socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET) as probe:
        # With it, only one that listens stands in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return True
    return False


def engine() -> Any:
    """chdb's library. Its package is passed by: importing that starts a small server in a folder for temporary things,
    with the config.xml of the current folder."""
    spec = importlib.util.find_spec("chdb")
    assert spec
    package = ModuleType("chdb")
    package.__path__ = list(spec.submodule_search_locations or [])
    sys.modules["chdb"] = package
    # As the package does, so that the library keeps to its own memory allocator.
    ctypes.CDLL(str(Path(package.__path__[0], "_chdb.abi3.so")), mode=sys.getdlopenflags() | os.RTLD_DEEPBIND)
    return importlib.import_module("chdb._chdb")


def main(config_folder: Path, data_folder: Path, logs_folder: Path) -> None:
    """Does not return until the server is told to stop."""
    file = config_folder / SECRETS
    secrets: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    environment = harmless(os.environ) | SETTLED | places(secrets)
    if environment != dict(os.environ):
        # What the kernel shows of a process's environment is what it was started with.
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)
    data_folder.mkdir(parents=True, exist_ok=True)
    addresses = ports(config_folder)
    restrict(config_folder, data_folder, logs_folder)
    os.chdir(config_folder)
    library = engine()
    fill(secrets)
    threading.Thread(target=guard, args=(addresses, secrets), daemon=True).start()
    library.query(LISTEN, "TabSeparated", path=str(data_folder))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
