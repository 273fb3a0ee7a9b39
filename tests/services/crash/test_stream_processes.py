"""Several streaming processes share the domains of one machine, and none writes what another has."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from conf import REPOSITORY, Settings
from conf.stream_progress import stream_progress
from tests.support.stream import Stream
from tests.support.waiting import until

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]
PROCESSES = "rates,shop;*"


@pytest.fixture
def both(chosen: Settings, stream: Stream, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A stream of two processes, and the settings that know of both."""
    stream.stop()
    monkeypatch.setenv("SAUDA_STREAM_PROCESSES", PROCESSES)
    stream.start()
    yield chosen.model_copy(update={"stream_processes": PROCESSES})
    stream.stop()


def progress(settings: Settings) -> dict[str, dict[str, object]]:
    """The queries of all processes; empty until they are ready."""
    try:
        actual = stream_progress(settings)
    except OSError:
        return {}
    return dict(actual["queries"]) if actual["ready"] else {}


def refusal(*words: str, **environment: str) -> str:
    """What a streaming process says that must not start."""
    refused = subprocess.run(
        [sys.executable, "-m", "streaming.run", *words], cwd=REPOSITORY, env=os.environ | environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    return refused.stderr


def test_each_process_has_its_domains_and_all_end_with_the_first(both: Settings, stream: Stream) -> None:
    until("both processes to be ready", lambda: bool(progress(both)), 300)
    assert set(progress(both)) == {
        "lake:procurement", "lake:purchases", "lake:rates", "lake:shop", "live:purchases",
    }  # fmt: skip

    alone = {"SAUDA_STREAM_PROCESSES": "*"}
    assert "The stream of rates, shop (process " in refusal("--domains", "shop", **alone)
    assert "The stream of procurement, purchases (process " in refusal("--domains", "purchases", **alone)
    assert "The stream of " in refusal(**alone)

    stream.kill()
    until("the processes to end with the first", lambda: not held(both), 60)


def held(settings: Settings) -> list[str]:
    """The names in the lock files of the streams."""
    texts = (file.read_text().strip() for file in settings.run.glob("stream.*.lock"))
    return [text for text in texts if text]


def test_a_domain_that_would_run_nowhere_is_refused() -> None:
    sentence = refusal(SAUDA_STREAM_PROCESSES="rates;shop")

    assert sentence.startswith("SAUDA_STREAM_PROCESSES leaves out procurement, purchases; `*` stands for all others")
