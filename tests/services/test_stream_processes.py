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
PROCESSES = {"SAUDA_STREAM_PROCESSES": "rates;shop"}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "streaming.run", *words]


@pytest.fixture
def both(chosen: Settings, stream: Stream) -> Iterator[Settings]:
    """Two processes with a domain each, and the settings that know of both."""
    stream.stop()
    chosen.logs.mkdir(parents=True, exist_ok=True)
    started = []
    for number, name in enumerate(("rates", "shop")):
        with (chosen.logs / f"stream-{name}-under-test.log").open("ab") as log:
            ports = {
                "SAUDA_METRICS_PORT": str(chosen.port("metrics") + number),
                "SAUDA_SPARK_UI_PORT": str(chosen.port("spark_ui") + number),
            }
            started.append(
                subprocess.Popen(
                    command("--domains", name), cwd=REPOSITORY, env=os.environ | ports, stdout=log, stderr=log
                )
            )
    yield chosen.model_copy(update={"stream_processes": "rates;shop"})
    for process in started:
        process.terminate()
    for process in started:
        process.wait(60)


def is_ready(settings: Settings) -> bool:
    try:
        return bool(stream_progress(settings)["ready"])
    except OSError:
        return False


def test_each_process_has_its_domains_and_a_domain_has_one_process(both: Settings) -> None:
    until("both processes to be ready", lambda: is_ready(both), 300)
    queries = stream_progress(both)["queries"]
    assert set(queries) == {"lake:rates", "lake:shop"}

    for words, name in ((["--domains", "shop,rates"], "rates"), ([], "rates|shop")):
        refused = subprocess.run(
            command(*words), cwd=REPOSITORY, env=os.environ | {"SAUDA_METRICS_PORT": "1"}, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        assert refused.returncode == 1
        assert "Traceback" not in refused.stderr
        assert any(f"The stream of {one} (process " in refused.stderr for one in name.split("|")), refused.stderr


def test_a_process_that_leaves_out_a_domain_is_refused() -> None:
    refused = subprocess.run(
        command("--process", "1"), cwd=REPOSITORY, env=os.environ | PROCESSES, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip

    assert refused.returncode == 1
    assert refused.stderr.startswith("SAUDA_STREAM_PROCESSES leaves out procurement, purchases; `*` stands for all")
