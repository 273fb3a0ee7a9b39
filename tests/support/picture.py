"""``python -m tests.support.picture docs/page.png``: the picture of the page for the README, of the running stack."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from conf import settings
from infra.local.tools import chromium
from tests.support.browser import Browser
from tests.support.waiting import until

SHOWN = "document.querySelectorAll('#latest tr').length > 5 && document.querySelectorAll('#products tr').length > 3"


def picture(url: str, target: Path, *, full: bool = False) -> None:
    """Save what the page shows when it is live; with `full`, when it has something to show."""
    program = chromium.find()
    assert program is not None, chromium.MISSING
    with tempfile.TemporaryDirectory() as profile, Browser(program, Path(profile)) as browser:
        browser.screen(1200, 1000)
        browser.open(url)
        until("the page to be live", lambda: browser.text("#connection") == "Live", 30)
        if full:
            until("purchases on the page (./start.sh ingest purchases.simulate)", lambda: browser.run(SHOWN), 60)
        browser.picture(target)


if __name__ == "__main__":
    given = Path(sys.argv[1])
    picture(f"http://localhost:{settings().port('api')}/", given, full=True)
    print(f"{given}: {given.stat().st_size / 1000:.0f} kB")
