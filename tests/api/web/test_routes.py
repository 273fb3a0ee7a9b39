"""The pages and their files over HTTP."""

from __future__ import annotations

import re

import pytest

from api.web import routes
from conf import Settings
from tests.api.live.test_routes import Client


@pytest.fixture
def client() -> Client:
    return Client(Settings())


def test_the_page_comes_with_a_policy_that_lets_in_only_its_own_files(client: Client) -> None:
    answer = client.get("/")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_file_that_the_page_names_is_there(client: Client) -> None:
    seen, wanted = set(), ["/"]
    while wanted:
        path = wanted.pop()
        answer = client.get(path)
        assert answer.status_code == 200, path
        seen.add(path)
        if path == "/" or path.endswith(".js"):
            wanted += set(re.findall(r'["\'](/web/[^"\']+)["\']', answer.text)) - seen

    assert {
        "/web/shell/shell.css",
        "/web/pages/live/page.js",
        "/web/shell/charts.js",
        "/web/vendor/uplot/uPlot.esm.js",
    } <= seen


def test_nothing_is_loaded_from_elsewhere_or_written_inline(client: Client) -> None:
    page = client.get("/").text

    assert not re.findall(r'(?:src|href)="(?!/web/)', page)
    assert not re.findall(r"<style|style=| on\w+=|javascript:", page)
    assert all(re.fullmatch(r'<script (type="module" )?src="/web/[\w/]+\.js">', tag)
               for tag in re.findall(r"<script[^>]*>", page))  # fmt: skip


def test_our_scripts_never_make_markup_of_data() -> None:
    assets = routes.site().assets
    ours = {name: actual.body.decode() for name, actual in assets.items() if not name.startswith("vendor/")}

    assert len(ours) > 5
    for name, code in ours.items():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function", code), name


def test_a_file_that_did_not_change_is_not_sent_again(client: Client) -> None:
    first = client.get("/web/pages/live/page.js")
    again = client.get("/web/pages/live/page.js", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name",
    [
        "package.json",
        "pages/live/page.json",
        "shell/shell.html",
        "../pyproject.toml",
        "..%2fpyproject.toml",
        "vendor",
        "nothing.js",
    ],
)
def test_only_the_pages_own_files_can_be_asked_for(client: Client, name: str) -> None:
    assert client.get(f"/web/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/", "/live", "/web/pages/live/page.js"])
@pytest.mark.parametrize(
    "headers", [{"Host": "shop.example"}, {"X-Forwarded-For": "192.0.2.7"}, {"Host": "localhost.shop.example:8000"}]
)
def test_the_page_is_for_this_machine_only(path: str, headers: dict[str, str]) -> None:
    hosts = "localhost,shop.example,localhost.shop.example"
    answer = Client(Settings(api_hosts=hosts)).get(path, headers)

    assert answer.status_code == 403
    assert "asks for no key" in answer.json()["detail"]


def test_a_page_that_is_none_is_a_problem(client: Client) -> None:
    assert client.get("/pages/nothing").status_code == 404
    assert client.get("/pages/live").status_code == 404, "it is at /"
