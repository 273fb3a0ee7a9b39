"""The Data Docs, beside the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from conf import Settings
from tests.api.asking import Client, client, problem


@pytest.fixture
def api(tmp_path: Path) -> Client:
    return client(tmp_path)


@pytest.fixture
def docs(api: Client) -> Path:
    settings: Settings = api.app.state.settings
    (settings.data_docs / "20261127_ab12").mkdir(parents=True)
    (settings.data_docs / "index.html").write_text("<p>All runs</p>")
    (settings.data_docs / "20261127_ab12" / "gold.revenue.html").write_text("<p>Жиынтық</p>")
    (settings.data_docs / "20261127_ab12" / "run.json").write_text("{}")
    (settings.data / "secret.html").write_text("secret")
    return settings.data_docs


@pytest.mark.usefixtures("docs")
@pytest.mark.parametrize(("name", "text"), [("index.html", "All runs"), ("20261127_ab12/gold.revenue.html", "Жиынтық")])
def test_its_pages_need_no_key_and_may_run_nothing(api: Client, name: str, text: str) -> None:
    answer = api.get(f"/data-docs/{name}", key=None)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert text in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")


@pytest.mark.usefixtures("docs")
@pytest.mark.parametrize(
    "name",
    ["../secret.html", "..%2fsecret.html", "20261127_ab12/../../secret.html", "20261127_ab12/run.json", "nothing.html",
     "", "a%00.html", "20261127_ab12"],
)  # fmt: skip
def test_nothing_else_can_be_asked_for(api: Client, name: str) -> None:
    problem(api.get(f"/data-docs/{name}", key=None), 404)


def test_before_the_first_night_it_is_said_how_they_are_made(api: Client) -> None:
    answer = problem(api.get("/data-docs/index.html", key=None), 404)

    assert answer["detail"] == "There are no Data Docs yet. A night writes them: ./start.sh job nightly."


@pytest.mark.usefixtures("docs")
def test_they_are_for_this_machine_only(tmp_path: Path) -> None:
    elsewhere = client(tmp_path, api_hosts="localhost,shop.example")

    answer = elsewhere.ask("GET", "/data-docs/index.html", None, headers={"Host": "shop.example"})

    assert problem(answer, 403)["type"] == "urn:sauda:problem:not-here"
