"""Who may call back from Java into the stream."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from streaming.core.callback_guard import is_ours


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as result:
        yield result


def test_a_process_of_our_own_user_gets_in(server: socket.socket) -> None:
    with socket.create_connection(server.getsockname()), closing(server.accept()[0]) as accepted:
        assert is_ours(accepted)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user for a moment")
def test_a_process_of_another_user_does_not(server: socket.socket) -> None:
    connect = f"exec 3<>/dev/tcp/127.0.0.1/{server.getsockname()[1]}; echo there; cat"
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/bin/bash", "-c", connect]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/") as stranger:
        assert stranger.stdout
        assert stranger.stdout.readline() == b"there\n"
        with closing(server.accept()[0]) as accepted:
            assert not is_ours(accepted)
        stranger.communicate()


def test_one_that_has_gone_already_does_not(server: socket.socket) -> None:
    """The system calls what is left of it root's."""
    socket.create_connection(server.getsockname()).close()
    with closing(server.accept()[0]) as accepted:
        assert not is_ours(accepted)


def test_where_the_system_does_not_tell_it_is_let_in(server: socket.socket, tmp_path: Path) -> None:
    with socket.create_connection(server.getsockname()), closing(server.accept()[0]) as accepted:
        assert is_ours(accepted, (tmp_path / "tcp",))
