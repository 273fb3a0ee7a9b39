"""What the page makes of odd documents, in a real Chromium: figures at their edges, faults, names of strangers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.tools import chromium
from tests.support.browser import Browser
from tests.support.page_documents import Canned, Document, whole_document
from tests.support.waiting import until

LONG = "Ж" * 500
RTL = "שוקולד מריר עם אגוזים " * 25
EMOJI = "👩‍👩‍👧‍👦🇰🇿" * 120
PHONE = 360
READABLE = (Path(__file__).parent.parent / "services" / "page" / "readable.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = chromium.find()
    if program is None:
        pytest.skip(chromium.MISSING)
    with Browser(program, tmp_path_factory.mktemp("chromium")) as created:
        created.screen(1280, 900)
        yield created


@pytest.fixture(scope="module")
def whole() -> Document:
    return whole_document()


@pytest.fixture(scope="module")
def served() -> Iterator[Canned]:
    with Canned() as created:
        yield created


Show = Callable[..., Browser]


@pytest.fixture
def show(browser: Browser, served: Canned, whole: Document) -> Show:
    """Opens the page on a document that the given function has changed, and waits until it has drawn it."""

    def shown(change: Callable[[Document], Any], *, state: str = "live", width: int = 1280) -> Browser:
        answered = copy.deepcopy(whole)
        change(answered)
        served.document = answered
        browser.screen(width, 900, mobile=width < 800)
        browser.open(served.url)
        until(
            f"the page to be {state}",
            lambda: browser.run("document.querySelector('#connection')?.dataset.state ?? ''") == state, 20, pause=0.05,
        )  # fmt: skip
        return browser

    return shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0.00 s"), (0.337, "0.34 s"), (9.99, "9.99 s"), (9.994, "9.99 s"), (9.996, "10 s"), (10, "10 s"),
     (10.4, "10 s"), (99.6, "100 s"), (86_400, "86,400 s"), (None, "– s")],
)  # fmt: skip
def test_freshness_is_written_at_every_age(show: Show, seconds: float | None, shown: str) -> None:
    """The fault: two digits at least and none at most, from ten seconds on, which is an error and no figure."""

    def aged(answered: Document) -> None:
        (topic,) = [each for each in answered["topics"] if each["fresh"]]
        topic["fresh"] = {"event_count": 1, "p50_seconds": seconds, "p99_seconds": seconds}

    browser = show(aged)

    assert browser.text("#fresh") == shown
    assert browser.text("#fresh-note") == f"median; 99 % within {shown}"
    assert browser.run("document.querySelectorAll('#latest tr').length") == 14
    assert browser.errors() == []


# What each panel cannot do without, broken.
BROKEN: dict[str, Callable[[Document], Any]] = {
    "products": lambda reported: reported["currencies"][0].update(products=[None]),
    "latest": lambda reported: reported.update(latest=[None]),
    "refusals": lambda reported: reported.update(refusals=None),
    "parts": lambda reported: reported.update(parts=[{"name": "x", "title": "X", "state": "up", "links": None}]),
}


@pytest.mark.parametrize("panel", BROKEN)
def test_a_fault_stays_in_its_panel_and_is_said_there_and_above(show: Show, panel: str) -> None:
    browser = show(BROKEN[panel], state="faulty")

    assert browser.text("#connection") == f"Live, but not all can be drawn: {panel}"
    assert browser.text(f"[data-panel={panel}] .fault").startswith("This cannot be drawn: TypeError")
    assert browser.run("document.querySelectorAll('.fault').length") == 1
    # All others show what they know.
    assert browser.text("#rate") not in ("", "–")
    assert browser.text("#revenue") not in ("", "–")
    assert browser.text("#queries") != ""
    assert browser.run(READABLE) == []
    # What stood there before is no figure of now.
    assert browser.text(f"[data-panel={panel}] tbody, [data-panel={panel}] ul") == ""


def test_a_panel_is_well_again_when_its_figures_are(show: Show, served: Canned, whole: Document) -> None:
    browser = show(BROKEN["latest"], state="faulty")
    served.document = whole

    until("the page to be well", lambda: browser.text("#connection") == "Live", 10, pause=0.05)
    assert browser.run("document.querySelectorAll('.fault, [data-fault]').length") == 0
    assert browser.run("document.querySelectorAll('#latest tr').length") == 14


def test_a_document_that_lacks_everything_is_no_blank_page(show: Show) -> None:
    browser = show(lambda answered: [answered.pop(name) for name in list(answered) if name != "at"], state="faulty")

    assert "Events a second" in browser.text("main")
    assert browser.run("document.querySelectorAll('.fault').length") == 10


def test_without_the_chart_library_the_figures_are_shown(browser: Browser, show: Show) -> None:
    browser.call("Network.setBlockedURLs", urls=["*uPlot.esm.js"])
    try:
        show(lambda _: None, state="faulty")
        assert browser.text("#connection") == "Live, but not all can be drawn: rate, revenue"
        assert browser.run("document.querySelectorAll('#latest tr').length") == 14
    finally:
        browser.call("Network.setBlockedURLs", urls=[])


def test_half_a_document_is_a_lost_connection(show: Show, served: Canned) -> None:
    browser = show(lambda _: None)
    served.document = '{"at": 1, "topics": ['

    until("the loss to be said", lambda: "Connection lost" in browser.text("#connection"), 10, pause=0.05)
    assert browser.run("document.querySelectorAll('#latest tr').length") == 14


def empty(reported: Document) -> None:
    reported.update(
        topics=[], currencies=[], latest=[], refusals=[], parts=[], newest_at=None, refused_count=0,
        sources={name: {"error": None, "as_of": reported["at"]} for name in ("sales", "refused", "flow", "parts")},
    )  # fmt: skip


def test_without_any_data_it_says_so(show: Show) -> None:
    browser = show(empty)

    assert "No purchase has come yet. Send some" in browser.text("#notices")
    assert [browser.text(f"#{name}") for name in ("rate", "fresh", "revenue", "lag")] == ["–"] * 4
    assert browser.text("#refused") == "0"
    assert browser.text("#products-empty") == "Nothing was sold in the last hour."
    assert browser.errors() == []


def test_before_any_source_has_answered_it_is_no_blank_page(show: Show) -> None:
    browser = show(lambda answered: (empty(answered), answered.update(sources={})))

    assert [browser.text(f"#{name}") for name in ("rate", "fresh", "refused")] == ["–"] * 3
    assert browser.errors() == []


def test_with_a_part_down_the_rest_is_shown(show: Show) -> None:
    def down(answered: Document) -> None:
        minio = {"name": "minio", "title": "MinIO", "state": "down", "sentence": "does not answer", "links": []}
        answered["parts"] = [minio]
        answered["sources"]["flow"] = {"error": "The stream does not answer (ConnectError).", "as_of": None}
        answered["topics"] = []

    browser = show(down)
    assert browser.run(READABLE) == []

    assert "MinIO is down: it does not answer." in browser.text("#notices")
    assert "The stream does not answer" in browser.text("#notices")
    assert browser.text("#rate") == "–"
    assert browser.run("document.querySelectorAll('#latest tr').length") == 14


@pytest.mark.parametrize("name", [LONG, RTL, EMOJI, "\u202egnirts desrever" * 30, "a\u0300" * 300],
                         ids=["without spaces", "right to left", "emoji", "override", "combining"])  # fmt: skip
@pytest.mark.parametrize("width", [PHONE, 1280])
def test_long_names_are_clamped(show: Show, name: str, width: int) -> None:
    def named(answered: Document) -> None:
        for purchase in answered["latest"]:
            purchase.update(product=name, seller_id=name[:64])
        currency = next(each for each in answered["currencies"] if each["products"])
        answered["currencies"] = [currency]
        for product in currency["products"]:
            product["description"] = name
        for refusal in answered["refusals"]:
            refusal.update(sentence=name, rule=name[:80])
        answered["topics"][0]["queries"][0].update(is_running=False, error=name, state="waiting 15 s to start again")
        answered["parts"] = [{"name": "x", "title": "X", "state": "down", "sentence": name, "links": []}]

    browser = show(named, width=width)
    tallest = browser.run(
        "Object.fromEntries(['#latest tr', '#products tr', '#refusals tr', '.notice', '#parts li'].map((each) =>"
        " [each, Math.max(...[...document.querySelectorAll(each)].map((row) => row.getBoundingClientRect().height))]))"
    )

    assert browser.run("document.documentElement.scrollWidth") <= width
    assert tallest["#latest tr"] <= 62, tallest
    assert tallest["#products tr"] <= 66, tallest
    assert tallest["#refusals tr"] <= 110, tallest
    assert tallest[".notice"] <= 160, tallest
    assert tallest["#parts li"] <= 120, tallest
    assert browser.run("document.querySelector('#latest .name').title").startswith(name)


def test_a_currency_that_is_none_is_no_fault(show: Show) -> None:
    def strange(answered: Document) -> None:
        answered["latest"][0].update(currency_code="", amount=12.5)
        answered["currencies"][0].update(currency_code="x1")

    browser = show(strange)

    assert browser.text("#latest tr td:last-child") == "12.50"
    assert browser.errors() == []


def test_a_browser_that_keeps_nothing_and_names_no_language_shows_all(browser: Browser, show: Show) -> None:
    """Cookies that are blocked make the mere word `localStorage` an error; some systems name the language badly."""
    script = (
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }});"
        "Object.defineProperty(navigator, 'language', {get: () => 'en-US@posix', configurable: true});"
    )
    added = browser.call("Page.addScriptToEvaluateOnNewDocument", source=script)["identifier"]
    try:
        show(lambda _: None)
        assert browser.text("#fresh") == "0.34 s"
        browser.run("document.querySelector('#theme').click()")
        assert browser.text("#theme") == "Theme: light"
        assert browser.errors() == []
    finally:
        browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=added)
