"""How the parts fare, as the page tells it, and the addresses it leads to."""

from __future__ import annotations

import asyncio
import xmlrpc.client
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.live.document import Part
from api.live.health import PartsHealth
from conf import Settings, disk
from conf.addresses import addresses

WELL = {
    "metadatabase": {"status": "healthy"},
    "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": "2026-11-27T00:00:00Z"},
    "triggerer": {"status": None},
    "dag_processor": {"status": "healthy"},
}
AIRFLOW = "/api/v2/monitor/health"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, stack="unit", port_offset=21_000)


async def fine() -> None: ...


async def away() -> None:
    raise OSError


def look(settings: Settings, answers: dict[tuple[str, str], Any], states: dict[str, str] | None = None,
         probes: Any = None) -> dict[str, Part]:  # fmt: skip
    """The parts by name. `answers` are by port's name and path, `states` what the supervisor says; others refuse."""
    by_port = {(settings.port(name), path): answer for (name, path), answer in answers.items()}

    def answer(request: httpx.Request) -> httpx.Response:
        if states is not None and request.url.port == settings.port("supervisor"):
            assert request.headers["authorization"].startswith("Basic ")
            state_and_reason = [{"name": name, "statename": state} for name, state in states.items()]
            return httpx.Response(200, text=xmlrpc.client.dumps((state_and_reason,), methodresponse=True))
        actual = by_port.get((request.url.port or 0, request.url.path))
        if actual is None:
            raise httpx.ConnectError("refused")
        return httpx.Response(actual) if isinstance(actual, int) else httpx.Response(200, json=actual)

    async def ask() -> list[Part]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await PartsHealth(settings, probes or {}, client)()

    return {part["name"]: part for part in asyncio.run(ask())}


def state_and_reason(part: Part) -> tuple[str, str]:
    return part["state"], part["sentence"]


def test_each_part_is_up_down_or_not_there(settings: Settings) -> None:
    answers = {("minio", "/minio/health/ready"): 503, ("metrics", "/progress"): {}, ("airflow", AIRFLOW): WELL}

    actual = look(settings, answers, probes={"clickhouse": fine, "kafka": away})

    assert {name: state_and_reason(part) for name, part in actual.items()} == {
        "api": ("up", ""),
        "kafka": ("down", "does not answer"),
        "stream": ("up", ""),
        "jobs": ("off", ""),
        "minio": ("down", "answers 503"),
        "clickhouse": ("up", ""),
        "history": ("off", ""),
        "airflow": ("up", ""),
    }


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"scheduler": {"status": "unhealthy"}}, "says that its scheduler is unhealthy"),
        ({"dag_processor": {"status": None}}, "says that its reader of DAGs is unknown"),
        (
            {"metadatabase": {"status": "unhealthy"}, "scheduler": {"status": "unhealthy"}},
            "says that its database is unhealthy, its scheduler is unhealthy",
        ),
        ({"scheduler": "?"}, "says that its scheduler is unknown"),
    ],
)
def test_airflow_is_down_where_one_of_its_processes_is(
    settings: Settings, change: dict[str, Any], sentence: str
) -> None:
    actual = look(settings, {("airflow", AIRFLOW): WELL | change})

    assert state_and_reason(actual["airflow"]) == ("down", sentence)


def test_an_answer_that_is_no_health_is_no_health(settings: Settings) -> None:
    actual = look(settings, {("airflow", AIRFLOW): ["?"]})

    assert actual["airflow"]["state"] == "down"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("STOPPED", ("off", "")),
        ("RUNNING", ("down", "does not answer")),
        ("BACKOFF", ("down", "does not answer")),
        ("FATAL", ("down", "does not answer")),
    ],
)
def test_a_part_that_was_left_out_is_off_and_one_that_was_started_is_down(
    settings: Settings, state: str, expected: tuple[str, str]
) -> None:
    actual = look(settings, {}, {"airflow": state, "history": state})

    assert [state_and_reason(actual["airflow"]), state_and_reason(actual["history"])] == [expected, expected]


def test_a_part_that_answers_badly_is_down_whoever_started_it(settings: Settings) -> None:
    actual = look(settings, {("history", "/api/v1/version"): 500})

    assert state_and_reason(actual["history"]) == ("down", "answers 500")


def test_airflow_without_a_database_is_off_and_not_asked(tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path, stack="unit", postgres_url="postgresql://u:p@elsewhere/sauda")  # type: ignore[arg-type]
    actual = look(chosen, {("airflow", AIRFLOW): WELL}, {"airflow": "RUNNING"})

    assert state_and_reason(actual["airflow"]) == ("off", "")


def test_the_page_links_to_every_page_that_a_browser_can_open(settings: Settings) -> None:
    actual = look(settings, {}, probes={"clickhouse": fine, "kafka": fine, "postgres": fine})

    assert {(p["name"], link["title"], link["url"]) for p in actual.values() for link in p["links"]} == {
        ("api", "Reference", "/docs"),
        ("api", "Metrics", "/metrics"),
        ("api", "Data Docs", "/data-docs/index.html"),
        ("stream", "Spark UI", "http://127.0.0.1:25040/"),
        ("stream", "Metrics", "http://127.0.0.1:30108/metrics"),
        ("jobs", "Spark UI", "http://127.0.0.1:25050/"),
        ("history", "Finished jobs", "http://127.0.0.1:29080/"),
        ("minio", "Console", "http://127.0.0.1:30001/"),
        ("clickhouse", "Write SQL", "http://127.0.0.1:29123/play?user=reader"),
        ("clickhouse", "Its pages", "http://127.0.0.1:29123/ui"),
        ("airflow", "Airflow", "http://127.0.0.1:29081/"),
    }


def test_the_page_and_the_list_of_addresses_say_the_same(settings: Settings) -> None:
    actual = look(settings, {}, probes={"clickhouse": fine, "kafka": fine, "postgres": fine})
    api = f"http://127.0.0.1:{settings.port('api')}"

    shown = {api + url if (url := link["url"]).startswith("/") else url for p in actual.values() for link in p["links"]}
    assert shown == {address.url for address in addresses(settings) if address.link}


def test_a_full_disk_is_told_first(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "shortage", lambda _: "The disk of /there has 3 MB free.")

    assert state_and_reason(look(settings, {})["disk"]) == ("down", "The disk of /there has 3 MB free.")
