"""The chart library that the repository keeps is the one that its lock names."""

import json
import re

from conf import REPOSITORY

WEB = REPOSITORY / "web"


def locked() -> dict[str, dict[str, str]]:
    packages = json.loads((WEB / "package-lock.json").read_text())["packages"]
    return {name.removeprefix("node_modules/"): actual for name, actual in packages.items() if name}


def test_the_lock_pins_a_checksum_and_names_no_place() -> None:
    assert locked()
    for name, actual in locked().items():
        assert actual["integrity"].startswith("sha512-"), name
        assert "resolved" not in actual, f"{name}: npm wrote where it came from; web/.npmrc tells it not to"


def test_what_is_kept_is_what_is_locked() -> None:
    assert {folder.name for folder in (WEB / "vendor").iterdir()} == set(locked()), "run: npm --prefix web run vendor"
    header = (WEB / "vendor" / "uplot" / "uPlot.esm.js").read_text()[:400]
    written = re.search(r"\(v([\d.]+)\)", header)

    assert written is not None
    assert written[1] == locked()["uplot"]["version"]
    assert "MIT" in (WEB / "vendor" / "uplot" / "LICENSE").read_text()
