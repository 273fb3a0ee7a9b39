"""What ``./start.sh status`` and ``urls`` show."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from conf import Settings
from infra.local import status


def test_the_data_docs_are_a_file_below_the_stacks_folder(tmp_path: Path) -> None:
    found = {title: address for title, address, _, _ in status.addresses(Settings(stack="unit", home=tmp_path))}

    index = tmp_path / "stacks" / "unit" / "data" / "data-docs" / "index.html"
    assert found["Data Docs: what the gates found"] == f"file://{index}"


def test_what_a_gate_stopped_is_shown_as_it_is_said() -> None:
    sentence = "gold.x: [a] must be at least 0 (a.at_least(0): seen 3 rows, wanted 0 rows)"
    console = Console(record=True, width=140)
    status.show({"parts": [], "stack": "unit", "queries": {}, "counts": {}, "stopped_checks": [sentence]}, console)

    assert f"Stopped by a check: {sentence}" in console.export_text()
