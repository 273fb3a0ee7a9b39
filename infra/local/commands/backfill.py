"""``./start.sh backfill``: a range of days built again, each by a run of the domain's night in Airflow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any

import click
import httpx

from conf import LOOPBACK, Settings
from conf.addresses import AIRFLOW_USER
from infra.local.command_line import current
from infra.local.errors import Failed, Refused
from infra.local.servers import airflow
from infra.local.stack import Stack
from schemas.contract import tables

LOOK_SECONDS = 2.0
CLOSED_SECONDS = 90.0
"""Airflow looks every half minute which backfills are over, and takes no other one of the same DAG until then."""
PAGE = 100
ENDED = {"success": "✓", "failed": "✗"}
"""States of a run that has ended, and their sign."""


def checked(domain: str, first: date, last: date, today: date) -> str:
    """The DAG that builds a domain's days. Raises Refused for another domain, and for days that are none."""
    known = sorted({t.domain for t in tables("gold") if t.day})
    if domain not in known:
        raise Refused(f"No days of {domain!r} can be built again; there are those of: {', '.join(known)}")
    if last < first:
        raise Refused(f"The first day comes first: ./start.sh backfill {domain} {last} {first}")
    if last > today:
        raise Refused(f"{last} lies ahead; today is {today}, UTC")
    return f"{domain}_nightly"


def run_request(dag: str, first: date, last: date) -> dict[str, Any]:
    """What Airflow is asked for: one day after the other, also those that were built before.

    The run of a day is due at some time of it, so the range goes to the last day's end.
    """
    return {
        "dag_id": dag,
        "from_date": f"{first}T00:00:00Z",
        "to_date": f"{last}T23:59:59Z",
        "reprocess_behavior": "completed",
        "max_active_runs": 1,
        "dag_run_conf": {"whole_on": str(last)},
    }


def run(settings: Settings, domain: str, first: date, last: date, say: Callable[[str], None]) -> bool:
    """Build the days and tell of each when it has ended. True when all are built.

    Raises Refused for what cannot be asked for, Failed where Airflow does not do it.
    """
    dag = checked(domain, first, last, datetime.now(UTC).date())
    page = f"http://{LOOPBACK}:{settings.port('airflow')}"
    with Pages(page, settings.secrets.airflow) as pages:
        if pages.get(f"/dags/{dag}")["is_paused"]:
            raise Refused(f"{dag} is paused, so nothing would happen. Switch it on: {page}/dags/{dag}")
        number = pages.begin(run_request(dag, first, last))
        try:
            states = _watched(pages, dag, first, last, say)
            _wait_for_its_end(pages, number)
        except KeyboardInterrupt:
            say(f"The backfill goes on in Airflow, where it can be stopped: {page}/dags/{dag}")
            raise
    sentences, is_good = summary(states, first, last)
    for sentence in sentences:
        say(sentence)
    if not is_good:
        say(f"Why, say the logs of the tasks: {page}/dags/{dag}")
    return is_good


def _watched(pages: Pages, dag: str, first: date, last: date, say: Callable[[str], None]) -> dict[date, str]:
    """Day → how its run has ended."""
    reported: set[date] = set()
    while True:
        states = pages.states(dag, first, last)
        for day, state in sorted(states.items()):
            if state in ENDED and day not in reported:
                reported.add(day)
                say(f"{ENDED[state]} {day}  {len(reported)} of {len(states)}")
        if len(reported) == len(states):
            return states
        time.sleep(LOOK_SECONDS)


def _wait_for_its_end(pages: Pages, number: int) -> None:
    deadline = time.monotonic() + CLOSED_SECONDS
    while pages.get(f"/backfills/{number}")["completed_at"] is None and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)


def summary(states: Mapping[date, str], first: date, last: date) -> tuple[list[str], bool]:
    """The days in sentences, and whether all are built."""
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    built = [day for day in every if states.get(day) == "success"]
    failed = [day for day in every if states.get(day) == "failed"]
    absent = [day for day in every if day not in states]
    sentences = [f"{len(built)} of {len(every)} days are built."]
    if failed:
        sentences.append(f"Not built: {', '.join(map(str, failed))}.")
    if absent:
        sentences.append(
            f"Not begun, since a run of that day is at work or it is not due yet: {', '.join(map(str, absent))}."
        )
    return sentences, len(built) == len(every)


class Pages:
    """Airflow's REST API, as its user."""

    def __init__(self, page: str, password: str, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(base_url=page, timeout=60, transport=transport)
        self._password = password

    def __enter__(self) -> Pages:
        given = {"username": AIRFLOW_USER, "password": self._password}
        try:
            self._client.headers["Authorization"] = f"Bearer {self._ask('POST', '/auth/token', given)['access_token']}"
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str) -> Any:
        return self._ask("GET", f"/api/v2{path}")

    def begin(self, backfill: Mapping[str, Any]) -> int:
        """Returns its number."""
        return int(self._ask("POST", "/api/v2/backfills", backfill)["id"])

    def states(self, dag: str, first: date, last: date) -> dict[date, str]:
        """Day → the state of its backfill's run."""
        states_by_day: dict[date, str] = {}
        query = f"run_type=backfill&logical_date_gte={first}T00:00:00Z&logical_date_lte={last}T23:59:59Z"
        place, total = 0, 1
        while place < total:
            answer = self.get(f"/dags/{dag}/dagRuns?{query}&order_by=logical_date&limit={PAGE}&offset={place}")
            total = answer["total_entries"]
            place += PAGE
            states_by_day |= {date.fromisoformat(run["logical_date"][:10]): run["state"] for run in answer["dag_runs"]}
        return states_by_day

    def _ask(self, method: str, path: str, given: Mapping[str, Any] | None = None) -> Any:
        with _heard():
            answer = self._client.request(method, path, json=given)
        if answer.is_success:
            return answer.json()
        sentence = _sentence(answer)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise Failed(
                f"Airflow has not read its DAGs yet, or could not: {sentence}. See: ./start.sh logs airflow_dags"
            )
        raise Failed(f"Airflow refuses: {sentence}.")


@contextmanager
def _heard() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        raise Failed(f"Airflow does not answer ({type(error).__name__}). Start it: ./start.sh") from None


def _sentence(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = answer.text
    return str(detail).strip().rstrip(".")[:500] or str(answer.status_code)


@click.command()
@click.argument("domain")
@click.argument("first", metavar="FROM", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("last", metavar="TO", type=click.DateTime(["%Y-%m-%d"]))
def backfill(domain: str, first: datetime, last: datetime) -> None:
    """Build the days FROM to TO of a DOMAIN again, both of them too, e.g. purchases 2026-03-01 2026-03-31

    Airflow runs the domain's night for each day in turn; tables without a day are built with the last. Days that were
    built before are built again. This command tells of each day and ends with the last; after Ctrl-C Airflow goes on.
    """
    chosen = current()
    checked(domain, first.date(), last.date(), datetime.now(UTC).date())
    Stack(chosen).need("minio", "clickhouse", "stream", *airflow.PARTS)
    if not run(chosen, domain, first.date(), last.date(), click.echo):
        raise SystemExit(1)
