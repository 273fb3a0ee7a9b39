"""Which domains a comparison keeps from being written."""

from __future__ import annotations

import pytest

from jobs.commands.reconcile import checked_domains, main
from tests.support.commands import exit_code


def test_a_comparison_takes_the_lease_of_what_it_compares() -> None:
    assert checked_domains([], "") == [], "all of them"
    assert checked_domains([], "shop") == ["shop"]
    assert checked_domains(["gold.purchases_hourly", "silver.exchange_rates"], "") == ["purchases", "rates"]


def test_an_unknown_domain_is_refused_before_any_part_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(main, ["--domain", "weather"]) == 2
    assert "No domain is called 'weather'; there are: " in capsys.readouterr().err
