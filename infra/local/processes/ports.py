"""Ports: who holds one, and the sentence for a user whose port is taken."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import psutil

from conf import LOOPBACK, Settings
from infra.local.errors import Refused
from infra.local.parts.parts import PORT_TITLES


@dataclass(frozen=True)
class Holder:
    """The process that listens on a port; `pid` is None when it belongs to another user."""

    name: str
    pid: int | None

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})" if self.pid else self.name


def holders() -> dict[int, Holder]:
    """Who listens on which TCP port of this machine, on any address."""
    found: dict[int, Holder] = {}
    for line in psutil.net_connections(kind="tcp"):
        if line.status != psutil.CONN_LISTEN or not line.laddr:
            continue
        name = "a process of another user"
        with contextlib.suppress(psutil.Error):
            name = psutil.Process(line.pid).name() if line.pid else name
        if line.laddr.port not in found or line.pid:
            found[line.laddr.port] = Holder(name, line.pid)
    return found


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(near: int, avoid: Collection[int] = ()) -> int:
    """A free port to propose instead of `near`."""
    candidates = [port for port in (near + 10_000, *range(near + 1, near + 200)) if port < 65_536]
    return next((port for port in candidates if port not in avoid and is_free(port)), 0)


def check(settings: Settings, names: Iterable[str], ours: Collection[int]) -> None:
    """`Refused` with a line for each port that is taken by a process whose pid is not in `ours`, or set twice."""
    wanted: dict[int, str] = {}
    sentences = []
    for name in names:
        port = settings.port(name)
        if port in wanted:
            other = wanted[port]
            sentences.append(
                f"Port {port} is set for both {PORT_TITLES[other]} and {PORT_TITLES[name]}: "
                f"change SAUDA_{other.upper()}_PORT or SAUDA_{name.upper()}_PORT."
            )
        wanted[port] = name
    listening: dict[int, Holder] | None = None
    for port, name in wanted.items():
        if is_free(port):
            continue
        listening = holders() if listening is None else listening
        holder = listening.get(port, Holder("a process that cannot be seen from here", None))
        if holder.pid in ours:
            continue
        proposal = free_port(port, avoid=wanted)
        sentences.append(
            f"Port {port}, for {PORT_TITLES[name]}, is taken by {holder}. "
            f"Stop that process, or move the port: SAUDA_{name.upper()}_PORT={proposal} ./start.sh"
        )
    if sentences:
        raise Refused("\n".join(sentences))
