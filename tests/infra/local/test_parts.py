"""What is said of a part that does not answer its probe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import pytest

from conf import Settings
from infra.local import parts


@pytest.mark.parametrize(
    ("error", "reported"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "nothing listens on its port"),
        (URLError(ConnectionRefusedError(111, "Connection refused")), "nothing listens on its port"),
        (TimeoutError("timed out"), "it takes too long to answer"),
        (URLError(TimeoutError("timed out")), "it takes too long to answer"),
        (URLError(ConnectionResetError(104, "Connection reset")), "it does not answer (ConnectionResetError)"),
        (URLError("unknown scheme"), "it does not answer (URLError)"),
        (KeyError("status"), "it does not answer (KeyError)"),
    ],
)
def test_an_error_of_a_probe_is_a_sentence(error: Exception, reported: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def probe(_: Settings) -> None:
        raise error

    broken = replace(parts.declared(Settings(stack="unit"))["kafka"], probe=probe)
    monkeypatch.setattr(parts, "declared", lambda _: {"kafka": broken})

    assert parts.trouble(Settings(stack="unit"), "kafka") == reported


def test_the_history_server_finds_its_folder_whatever_its_name(tmp_path: Path) -> None:
    """It takes a URI's %20 for a part of the name."""
    settings = Settings(home=tmp_path / "sau da 100%")
    history = parts.processes(parts.Machine(settings, Path("/java"), Path("/minio")))["history"]

    assert f"-Dspark.history.fs.logDirectory={settings.data / 'spark-events'}" in history.command
