"""What ``./start.sh status`` and ``urls`` show."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from conf import Settings
from conf.addresses import addresses as all_addresses
from infra.local import addresses
from infra.local.commands import status


def test_every_address_is_listed_with_its_user(stack_settings: Settings) -> None:
    console = Console(record=True, width=140)
    addresses.show(stack_settings, console)
    shown = console.export_text()

    assert [each for each in all_addresses(stack_settings) if each.title not in shown or each.url not in shown] == []
    assert re.search(r"Data Docs: what the gates found +http://127\.0\.0\.1:29000/data-docs/index\.html", shown)
    assert re.search(r"MinIO console +http://127\.0\.0\.1:30001/ +sauda", shown)
    assert re.search(r"Airflow +http://127\.0\.0\.1:29081/ +sauda", shown)


def test_parts_that_do_not_run_are_named_and_their_addresses_left_out(
    stack_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses.Supervisor, "info", lambda _: {"api": {"statename": "RUNNING"}})
    console = Console(record=True, width=140)
    addresses.show(stack_settings, console)
    shown = console.export_text()

    assert "REST API: its paths" in shown.partition("Not running:")[0]
    assert "Airflow" in shown.partition("Not running:")[2]
    assert "http://127.0.0.1:29081/" not in shown
    runs = {row["what"]: row["runs"] for row in addresses.listed(stack_settings)}
    assert (runs["Airflow"], runs["REST API: its paths"]) == (False, True)


@pytest.mark.parametrize("width", [20, 40, 80, 140])
@pytest.mark.parametrize("passwords", [False, True])
def test_no_terminal_cuts_an_address_or_a_key(stack_settings: Settings, width: int, passwords: bool) -> None:
    console = Console(file=io.StringIO(), width=width)
    addresses.show(stack_settings, console, passwords)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]

    secrets = [stack_settings.secret(a.secret) for a in all_addresses(stack_settings) if a.secret and passwords]
    wanted = [*(each.url for each in all_addresses(stack_settings)), *secrets]
    assert [each for each in wanted if not any(each in line for line in lines)] == []


def test_what_a_gate_stopped_is_shown_as_it_is_said() -> None:
    sentence = "gold.x: [a] must be at least 0 (a.at_least(0): seen 3 rows, wanted 0 rows)"
    console = Console(record=True, width=140)
    status.show({"parts": [], "stack": "unit", "queries": {}, "counts": {}, "stopped_checks": [sentence]}, console)

    assert f"Stopped by a check: {sentence}" in console.export_text()


def test_why_a_domain_is_stopped_is_shown_once() -> None:
    sentence = "The Delta table silver.purchase_lines has no column quantity [BIGINT]. Migrate it."
    stopped = {"topic": "purchases", "state": "stopped: a table differs from its contract", "error": sentence}
    running = {"topic": "rates", "state": "running", "error": "an error of the past"}
    console = Console(record=True, width=200)
    queries = {"lake:purchases": stopped, "live:purchases": stopped, "lake:rates": running}
    fills = {"fill:purchases": {"topic": "purchases", "error": sentence}}
    status.show(
        {"parts": [], "stack": "unit", "queries": queries, "fills": fills, "counts": {}, "stopped_checks": []}, console
    )
    shown = console.export_text()

    assert shown.count(sentence) == 1
    assert "fill:purchases, lake:purchases, live:purchases: " in shown
    assert "an error of the past" not in shown
