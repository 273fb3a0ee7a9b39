"""What Airflow is asked for, and what is told of its answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Any

import httpx
import pytest

from conf import Settings
from infra.local.commands import backfill
from infra.local.errors import Failed, Refused

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 3)
Answers = Callable[[httpx.Request], httpx.Response]


class Airflow:
    """Answers as Airflow does: each look at the runs finds the next of `states`, a list of days' states each."""

    def __init__(self, *states: list[str]) -> None:
        self.states: Iterator[list[str]] = iter(states)
        self.requests: list[dict[str, Any]] = []
        self.open_for = 0
        self.is_paused = False
        self.refusal: httpx.Response | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/auth/token":
            return httpx.Response(201, json={"access_token": "t"})
        assert request.headers["Authorization"] == "Bearer t"
        if path == "/api/v2/backfills":
            self.requests.append(json.loads(request.content))
            return self.refusal or httpx.Response(200, json={"id": 1})
        if path == "/api/v2/backfills/1":
            self.open_for -= 1
            return httpx.Response(200, json={"id": 1, "completed_at": None if self.open_for >= 0 else "2026-03-04"})
        if path == "/api/v2/dags/purchases_nightly":
            return httpx.Response(200, json={"is_paused": self.is_paused})
        runs = [
            {"logical_date": f"2026-03-0{n}T00:10:00Z", "state": state}
            for n, state in enumerate(next(self.states), start=1)
            if state
        ]
        return httpx.Response(200, json={"total_entries": len(runs), "dag_runs": runs})


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch, stack_settings: Settings) -> Any:
    """Builds three days, and returns whether all is good and what was said."""
    monkeypatch.setattr(backfill, "LOOK_SECONDS", 0)

    def built(served: Answers) -> tuple[bool, list[str]]:
        pages = partial(backfill.Pages, transport=httpx.MockTransport(served))
        monkeypatch.setattr(backfill, "Pages", pages)
        messages: list[str] = []
        return backfill.run(stack_settings, "purchases", FIRST, LAST, messages.append), messages

    return built


def test_both_days_are_in_the_range_one_after_the_other_again_if_they_were_built_before(build: Any) -> None:
    served = Airflow(["success"] * 3)
    build(served)

    assert served.requests == [
        {
            "dag_id": "purchases_nightly",
            "from_date": "2026-03-01T00:00:00Z",
            "to_date": "2026-03-03T23:59:59Z",
            "reprocess_behavior": "completed",
            "max_active_runs": 1,
            "dag_run_conf": {"whole_on": "2026-03-03"},
        }
    ]


def test_each_day_is_told_once_when_it_has_ended(build: Any) -> None:
    served = Airflow(["running", "queued", "queued"], ["success", "running", "queued"], ["success"] * 3)

    assert build(served) == (
        True,
        ["✓ 2026-03-01  1 of 3", "✓ 2026-03-02  2 of 3", "✓ 2026-03-03  3 of 3", "3 of 3 days are built."],
    )


def test_it_ends_when_airflow_would_take_another_one(build: Any) -> None:
    """Airflow closes a backfill half a minute after its last run, and refuses the next one until then."""
    served = Airflow(["success"] * 3)
    served.open_for = 2
    assert build(served)[0]
    assert served.open_for == -1


def test_a_backfill_that_airflow_never_closes_is_not_waited_for_for_ever(
    build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "CLOSED_SECONDS", 0)
    served = Airflow(["success"] * 3)
    served.open_for = 10**9
    assert build(served)[0]


def test_a_day_that_failed_is_named(build: Any) -> None:
    is_good, output = build(Airflow(["success", "failed", "success"]))

    assert not is_good
    assert output[1] == "✗ 2026-03-02  2 of 3"
    assert output[3:5] == ["2 of 3 days are built.", "Not built: 2026-03-02."]
    assert output[5].endswith("/dags/purchases_nightly")


def test_a_day_that_airflow_has_not_begun_is_missed(build: Any) -> None:
    is_good, output = build(Airflow(["success", "success", ""]))

    assert not is_good
    assert "2 of 3 days are built." in output
    assert any(line.startswith("Not begun, ") and line.endswith(": 2026-03-03.") for line in output)


def test_more_days_than_a_page_holds_are_all_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "PAGE", 2)

    def served(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(201, json={"access_token": "t"})
        place = int(request.url.params["offset"])
        runs = [{"logical_date": f"2026-03-0{n}T00:10:00Z", "state": "success"} for n in range(1, 6)]
        return httpx.Response(200, json={"total_entries": 5, "dag_runs": runs[place : place + 2]})

    with backfill.Pages("http://airflow", "p", httpx.MockTransport(served)) as pages:
        assert len(pages.states("purchases_nightly", FIRST, LAST)) == 5


def test_a_paused_dag_is_told_and_not_waited_for(build: Any) -> None:
    served = Airflow()
    served.is_paused = True
    with pytest.raises(Refused, match="purchases_nightly is paused"):
        build(served)
    assert served.requests == []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (httpx.Response(409, json={"detail": "There is already one."}), "Airflow refuses: There is already one."),
        (httpx.Response(404, json={"detail": "Could not find dag x"}), "has not read its DAGs yet.*find dag x"),
        (httpx.Response(500, text="Internal"), "Airflow refuses: Internal."),
    ],
)
def test_what_airflow_refuses_is_a_sentence(build: Any, answer: httpx.Response, sentence: str) -> None:
    served = Airflow()
    served.refusal = answer
    with pytest.raises(Failed, match=sentence):
        build(served)


def test_an_airflow_that_is_down_is_a_sentence(build: Any) -> None:
    def served(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(Failed, match="Airflow does not answer"):
        build(served)
