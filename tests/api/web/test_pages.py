"""Pages are found by looking, and one that could not be shown is an error."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from api.web.pages import WEB, Site


def add(web: Path, name: str, **declared: Any) -> Path:
    """A page of a test's own."""
    folder = web / "pages" / name
    folder.mkdir(parents=True)
    (folder / "page.json").write_text(json.dumps({"title": f"all of {name}", "link": name, "order": 20} | declared))
    (folder / "page.html").write_text(f'<main><section class="card whole" id="{name}"></section></main>\n')
    (folder / "page.js").write_text(f'document.getElementById("{name}").textContent = "drawn";\n')
    return folder


def copied(target: Path) -> Path:
    """The shell and the page at the root, without any other page."""
    home = next(page.name for page in Site().pages if page.is_home)

    def ignored(folder: str, names: list[str]) -> list[str]:
        return [n for n in names if n == "node_modules" or (Path(folder) == WEB / "pages" and n != home)]

    return shutil.copytree(WEB, target, ignore=ignored)


@pytest.fixture
def web(tmp_path: Path) -> Path:
    return copied(tmp_path / "web")


def test_the_present_page_is_at_the_root_and_alone_has_no_navigation() -> None:
    site = Site()

    assert "/" in site.by_path
    assert ("<nav" in site.by_path["/"].body.decode()) is (len(site.pages) > 1)
    assert "{{" not in site.by_path["/"].body.decode()


def test_a_new_page_is_a_new_folder_only(web: Path) -> None:
    add(web, "weather", title="rain & snow", link="Weather", order=99)
    site = Site(web)

    assert list(site.by_path) == ["/", "/pages/weather"]
    text = site.by_path["/pages/weather"].body.decode()
    assert "<title>Sauda: rain &amp; snow</title>" in text
    assert '<a href="/">Live</a> <a href="/pages/weather" aria-current=page>Weather</a>' in text
    assert 'src="/web/pages/weather/page.js"' in text
    assert "page.css" not in text
    assert "pages/weather/page.js" in site.assets


def test_pages_stand_in_their_order(web: Path) -> None:
    for name, order in (("b", 1), ("a", 1), ("c", 99)):
        add(web, name, order=order)

    assert [page.name for page in Site(web).pages] == ["a", "b", "live", "c"]


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ({"is_home": True}, "just one page must be at /; there are live, weather"),
        ({"color": "red"}, "weather/page.json: .*color"),
        ({"order": "first"}, "weather/page.json: .*order"),
    ],
)
def test_a_page_that_is_declared_wrongly_is_refused(web: Path, declared: dict[str, Any], sentence: str) -> None:
    add(web, "weather", **declared)

    with pytest.raises(ValueError, match=sentence):
        Site(web)


@pytest.mark.parametrize("name", ["page.json", "page.html", "page.js"])
def test_a_page_that_lacks_a_file_is_refused(web: Path, name: str) -> None:
    (add(web, "weather") / name).unlink()

    with pytest.raises(ValueError, match=f"the page weather has no {name}"):
        Site(web)


def test_without_a_page_at_the_root_nothing_starts(web: Path) -> None:
    shutil.rmtree(web / "pages" / "live")
    add(web, "weather")

    with pytest.raises(ValueError, match="there are none"):
        Site(web)
