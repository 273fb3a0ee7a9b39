"""Who may call back from Java into this process.

Spark's batches come to Python through a socket of py4j. The way into Java asks for a secret; this way back does not,
and Java could not tell it. Any user of the machine could begin a batch, so only Java processes of our own user get in.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
ESTABLISHED = "01"
# Columns of these tables.
LOCAL, REMOTE, STATE, USER = 1, 2, 3, 7


def guard(spark: SparkSession) -> None:
    """Open the way back, guarded."""
    from pyspark.java_gateway import ensure_callback_server_started

    gateway = spark.sparkContext._gateway
    ensure_callback_server_started(gateway)  # type: ignore[no-untyped-call]
    server = gateway._callback_server  # type: ignore[union-attr]
    connect = server._create_connection

    def guarded(peer: socket.socket, stream: Any) -> Any:
        if not is_ours(peer):
            # Whoever reads from it finds its end at once.
            peer.shutdown(socket.SHUT_RDWR)
        return connect(peer, stream)

    server._create_connection = guarded


def is_ours(connection: socket.socket, tables: tuple[Path, ...] = TABLES) -> bool:
    """Whether the other end of an accepted connection of loopback belongs to a process of our user.

    Where the system does not tell whose it is, it is let in, as it would be without this question.
    """
    readable = [table for table in tables if os.access(table, os.R_OK)]
    if not readable:
        return True
    mine, theirs = connection.getsockname()[1], connection.getpeername()[1]
    users = {user for table in readable for user in _owners(table, theirs, mine)}
    return users == {os.geteuid()}


def _owners(table: Path, port: int, to: int) -> Iterator[int]:
    """Whose connections from one port to the other are; one that its process has closed belongs to nobody."""
    for line in table.read_text().splitlines()[1:]:
        fields = line.split()
        ports = tuple(int(fields[column].rpartition(":")[2], 16) for column in (LOCAL, REMOTE))
        if ports == (port, to) and fields[STATE] == ESTABLISHED:
            yield int(fields[USER])
