"""How long a group of tests may take."""

from __future__ import annotations

import pytest

from infra.local import testing
from infra.local.time_budgets import Budgets, measure_machine, service_groups

BUDGETS = Budgets({"crash": 100, "flows": 100}, loop_seconds=1.0)


@pytest.mark.parametrize(
    ("seconds", "loops", "is_over"),
    [
        (149, (1.0, 1.0), False),
        (151, (1.0, 1.0), True),
        # A machine half as fast gets twice the time, a faster one no less.
        (299, (2.0, 2.0), False),
        (301, (2.0, 2.0), True),
        (149, (0.5, 0.5), False),
        # Something else began to use the machine in between.
        (190, (1.0, 2.0), False),
    ],
)
def test_half_as_much_again_is_too_much(seconds: float, loops: tuple[float, ...], is_over: bool) -> None:
    assert bool(BUDGETS.overrun("crash", seconds, loops)) is is_over


def test_the_sentence_says_what_took_how_long() -> None:
    assert BUDGETS.overrun("flows", 400, (2.0, 2.0)) == (
        "flows took 400 s, 4.0 times its budget of 100 s on a machine 2.0 times slower than the budget's; "
        "make it faster, or raise the budget in pyproject.toml and say why"
    )


def test_a_group_without_a_budget_is_an_error() -> None:
    assert "page has no budget" in BUDGETS.overrun("page", 1, (1.0,))


def test_every_group_has_a_budget() -> None:
    budgets = Budgets.read()

    assert service_groups()[:3] == ["flows", "crash", "page"]
    assert {*service_groups(), "unit tests", "smoke"} <= set(budgets.seconds)
    assert {f"all of {scope.value}" for scope in testing.Scope} <= set(budgets.seconds)


def test_the_machine_is_measured() -> None:
    assert measure_machine(processes=1) > 0
