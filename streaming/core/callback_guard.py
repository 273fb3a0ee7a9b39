"""Guards the socket by which Java calls this process.

Spark hands its batches to Python through a socket of py4j. Connections to Java need a secret; connections from Java do
not, and py4j's Java side could not send one. Any user of the machine could start a batch, so only processes of the same
user are let in.
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
    """Open the socket, guarded."""
    from pyspark.java_gateway import ensure_callback_server_started

    gateway = spark.sparkContext._gateway
    ensure_callback_server_started(gateway)  # type: ignore[no-untyped-call]
    server = gateway._callback_server  # type: ignore[union-attr]
    connect = server._create_connection

    def guarded(peer: socket.socket, stream: Any) -> Any:
        if not is_ours(peer):
            # Its reader finds the end of the stream at once.
            peer.shutdown(socket.SHUT_RDWR)
        return connect(peer, stream)

    server._create_connection = guarded


def is_ours(connection: socket.socket, tables: tuple[Path, ...] = TABLES) -> bool:
    """Whether the other end of an accepted loopback connection belongs to a process of the same user.

    Where the system does not tell the owner, the connection is let in, as without this check.
    """
    readable = [table for table in tables if os.access(table, os.R_OK)]
    if not readable:
        return True
    mine, theirs = connection.getsockname()[1], connection.getpeername()[1]
    users = {user for table in readable for user in _owners(table, theirs, mine)}
    return users == {os.geteuid()}


def _owners(table: Path, port: int, to: int) -> Iterator[int]:
    """The owners of connections from one port to the other; a connection that its process has closed has none."""
    for line in table.read_text().splitlines()[1:]:
        fields = line.split()
        ports = tuple(int(fields[column].rpartition(":")[2], 16) for column in (LOCAL, REMOTE))
        if ports == (port, to) and fields[STATE] == ESTABLISHED:
            yield int(fields[USER])
