from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import drain, freshness, memory
from bench.drain import Outcome, differing, expected
from bench.freshness import Phase
from bench.report import Cell, Report, Table, machine, markdown_table, shown, verdict, write
from bench.traffic import Mix


@pytest.mark.parametrize(
    ("cell", "text"),
    [(None, "–"), ("x", "x"), (3_000_000, "3,000,000"), (61_234.5, "61,234"), (123.45, "123.5"), (1.234, "1.23"),
     (0.1834, "0.183"), (0, "0")],
)  # fmt: skip
def test_figures_are_shown_with_few_digits(cell: Cell, text: str) -> None:
    assert shown(cell) == text


def test_a_verdict_says_whether_the_goal_was_met() -> None:
    assert verdict("the ratio", 1.25, 1.2, at_least=True) == "met: the ratio 1.25 (goal: at least 1.20)"
    assert verdict("p99, s", 0.7, 0.5, at_least=False) == "missed: p99, s 0.700 (goal: at most 0.500)"


def test_columns_of_numbers_stand_to_the_right() -> None:
    table = Table("t", ("who", "rate"), [("a|b", 10), ("c", None)])
    assert markdown_table(table) == "| who | rate |\n| --- | ---: |\n| a\\|b | 10 |\n| c | – |"


def test_results_are_written_with_an_overview(tmp_path: Path) -> None:
    for name in ("drain", "memory"):
        new_report = Report(name, name.title(), "What was done.", [Table("Rates", ("who", "rate"), [("Sauda", 5)])])
        new_report.goals, new_report.figures = ["met: all"], {"ratio": 1.5}
        write(new_report, {"cores": "2"}, tmp_path)
    page = (tmp_path / "drain.md").read_text()
    assert "# Drain" in page
    assert "| Sauda | 5 |" in page
    assert "on: cores 2." in page
    assert json.loads((tmp_path / "drain.json").read_text())["figures"] == {"ratio": 1.5}
    overview = (tmp_path / "README.md").read_text()
    assert "[Drain](drain.md)" in overview
    assert "[Memory](memory.md)" in overview
    assert "- met: all" in overview


def test_the_machine_is_told_without_a_name_of_it() -> None:
    import platform

    facts = machine(Path("/nowhere"))
    assert facts["Java"] == "not found"
    assert {"cores", "memory", "Python", "pyspark"} <= facts.keys()
    assert platform.node() not in " ".join(facts.values()).split()


def test_the_drain_compares_sauda_with_the_first_rival() -> None:
    mix = Mix(1_000)
    ours = Outcome("Sauda", 1_000, 0.0, 10.0, 20.0, 120.0, expected(mix, copies_stay=False))
    loop = Outcome("Loop", 1_000, 0.0, 5.0, 25.0, None, expected(mix, copies_stay=True), {"delta": 2.0})
    result = drain.report([ours, loop], mix, 2, {})
    assert result.figures["ratio"] == 2.0
    assert result.tables[0].rows == [("Sauda", 100, 120, 50, 10.0, None), ("Loop", 50, None, 40, 20.0, 2.0)]
    assert [goal.partition(":")[0] for goal in result.goals] == ["met"] * 3


def test_a_table_that_holds_other_rows_misses_the_goal() -> None:
    mix = Mix(1_000)
    wanted = expected(mix, copies_stay=False)
    assert differing(wanted, wanted) == ""
    assert differing(wanted | {"quarantined": 9}, wanted) == "quarantined 9 (expected 10)"
    ours = Outcome("Sauda", 1_000, 0.0, 10.0, 20.0, None, wanted | {"quarantined": 9})
    loop = Outcome("Loop", 1_000, 0.0, 5.0, 25.0, None, expected(mix, copies_stay=True))
    goals = drain.report([ours, loop], mix, 2, {}).goals
    assert "missed: Sauda holds what was sent: quarantined 9 (expected 10)" in goals


def test_freshness_is_judged_at_its_rate_and_a_lost_event_is_said() -> None:
    ages = {"p50": 0.1, "p95": 0.2, "p99": 0.6, "max": 1.0}
    phases = [Phase("Sauda", rate, 100, 0, ages, {}, {}, 0.1) for rate in freshness.RATES]
    phases.append(Phase("Rival", 20, 100, 3, {}, {}, {}, 0.1))
    result = freshness.report(phases, 30.0, 2, {})
    assert [goal.partition(":")[0] for goal in result.goals] == ["met", "missed", "missed"]
    assert result.goals[-1].endswith("but 3")
    assert result.tables[0].rows[-1] == ("Rival", 20, 100, 3, None, None, None, None)


def test_memory_adds_up_the_greatest_of_each() -> None:
    result = memory.report({"kafka": 2**30, "stream (Java)": 6 * 2**30}, 5 * 2**30, "a test")
    assert result.goals[0].startswith("missed: sum of the greatest, GiB 7.00")
    assert result.tables[0].rows[0] == ("stream (Java)", 6 * 1024)
