"""Ports: who holds one, and the sentence for a user whose port is taken."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import psutil

from conf import LOOPBACK, Settings
from infra.local.errors import Refused
from infra.local.parts import Port


@dataclass(frozen=True)
class Holder:
    """The process that listens on a port; `pid` is None when it belongs to another user."""

    name: str
    pid: int | None

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})" if self.pid else self.name


def holders() -> dict[int, Holder]:
    """Who listens on which TCP port of this machine, on any address."""
    by_port: dict[int, Holder] = {}
    for line in psutil.net_connections(kind="tcp"):
        if line.status != psutil.CONN_LISTEN or not line.laddr:
            continue
        name = "a process of another user"
        with contextlib.suppress(psutil.Error):
            name = psutil.Process(line.pid).name() if line.pid else name
        if line.laddr.port not in by_port or line.pid:
            by_port[line.laddr.port] = Holder(name, line.pid)
    return by_port


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


def check(settings: Settings, needed: Iterable[Port], ours: Collection[int]) -> None:
    """`Refused` with a line for each port that is taken by a process whose pid is not in `ours`, or set twice."""
    wanted: dict[int, Port] = {}
    sentences = []
    for port in needed:
        number = port.number(settings)
        if number in wanted:
            other = wanted[number]
            sentences.append(
                f"Port {number} is set for both {other.title} and {port.title}: "
                f"change SAUDA_{other.name.upper()}_PORT or SAUDA_{port.name.upper()}_PORT."
            )
        wanted[number] = port
    listening: dict[int, Holder] | None = None
    for number, port in wanted.items():
        if is_free(number):
            continue
        listening = holders() if listening is None else listening
        holder = listening.get(number, Holder("a process that cannot be seen from here", None))
        if holder.pid in ours:
            continue
        proposal = free_port(number, avoid=wanted)
        sentences.append(
            f"Port {number}, for {port.title}, is taken by {holder}. "
            f"Stop that process, or move the port: SAUDA_{port.name.upper()}_PORT={proposal - port.offset} ./start.sh"
        )
    if sentences:
        raise Refused("\n".join(sentences))
