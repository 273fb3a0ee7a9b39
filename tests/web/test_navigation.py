"""A second page, in a real Chromium: it is found by its folder, and the shell leads to it and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.tools import chromium
from tests.api.web.test_pages import add, copied
from tests.support.browser import Browser
from tests.support.page_documents import Canned
from tests.support.waiting import until


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    program = chromium.find()
    if program is None:
        pytest.skip(chromium.MISSING)
    with Browser(program, tmp_path / "profile") as opened:
        opened.screen(1280, 900)
        yield opened


def test_a_second_page_is_reached_from_the_first_and_keeps_the_theme(browser: Browser, tmp_path: Path) -> None:
    web = copied(tmp_path / "web")
    add(web, "weather", title="rain and snow", link="Weather")
    with Canned(web=web) as site:
        browser.open(site.url)
        until("the first page to be live", lambda: browser.text("#connection") == "Live", 20, pause=0.05)
        assert browser.text("nav [aria-current]") == "Live"
        browser.run("document.querySelector('#theme').click()")
        assert browser.text("#theme") == "Theme: light"

        browser.run("document.querySelector('nav a:not([aria-current])').click()")
        until("the second page", lambda: browser.text("#weather") == "drawn", 20, pause=0.05)
        assert browser.text("nav [aria-current]") == "Weather"
        assert browser.run("document.title") == "Sauda: rain and snow"
        assert browser.run("document.documentElement.dataset.theme") == "light"
        assert browser.run("getComputedStyle(document.querySelector('#connection')).display") == "none"

        browser.run("document.querySelector('nav a:not([aria-current])').click()")
        until("the first page again", lambda: browser.text("#connection") == "Live", 20, pause=0.05)
        assert browser.errors() == []


def test_on_a_phone_the_navigation_fits(browser: Browser, tmp_path: Path) -> None:
    web = copied(tmp_path / "web")
    for name in ("weather", "prices", "fleet", "procurement", "marketplace"):
        add(web, name, link=name.capitalize())
    with Canned(web=web) as site:
        browser.screen(360, 900, mobile=True)
        browser.open(site.url)
        until("the page to be live", lambda: browser.text("#connection") == "Live", 20, pause=0.05)

        assert browser.run("document.documentElement.scrollWidth") <= 360
        assert browser.run("document.querySelectorAll('nav a').length") == 6
