"""``./start.sh test``: linters, unit tests, then groups of service tests on a stack of their own; one summary.

Each group has a budget of seconds (`time_budgets`), and fails when it takes half as much again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from rich.console import Console

from conf import REPOSITORY, Settings
from conf.spark import GIVES_WAY
from infra.local import changed_tests, deploy
from infra.local.errors import Failed, Tolerated
from infra.local.processes import children
from infra.local.stack import Stack
from infra.local.steps import Say, Step, StepRunner
from infra.local.time_budgets import Budgets, measure_machine, service_groups
from infra.local.tools import chromium

QUICK = {"SAUDA_JAVA_COMPILER": "quick"}
"""Tests start Spark often and give it little to do."""


class Scope(Enum):
    """How much is tested."""

    ALL = "the tests"
    UNIT = "linters and unit tests"
    SMOKE = "the smoke test"


@dataclass
class Outcome:
    """How one check ended: its closing line, and its whole output when it failed. `left_out`: it did not run."""

    title: str
    good: bool
    closing: str
    seconds: float
    output: str = field(default="", repr=False)
    left_out: bool = False


class Trial:
    """All checks of a run. A check that fails does not keep the others from running."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self.stack, self.console = stack, console
        self.outcomes: list[Outcome] = []

    @property
    def settings(self) -> Settings:
        return self.stack.settings

    def _environment(self) -> dict[str, str]:
        env = children.environment(self.settings, self.stack.tools.java_home, part="tests")
        # Colours and widths of a terminal have no place in captured output.
        return env | QUICK | {"NO_COLOR": "1", "COLUMNS": "120"}

    def check(self, title: str, command: Sequence[str], after: Sequence[str] = ()) -> Step:
        """A step that runs a checker and keeps how it ended."""

        def action(say: Say) -> str:
            began = time.monotonic()
            log = self.settings.logs / f"{title.replace(' ', '-')}.log"
            lines: list[str] = []

            def watch(line: str) -> None:
                lines.append(line)
                say(line[-60:])

            good = True
            try:
                children.run(command, title, env=self._environment(), cwd=REPOSITORY, on_line=watch, log=log)
            except Failed:
                good = False
            printed = [line.strip("= ") for line in lines if line.strip() and not line.startswith("[")]
            closing = printed[-1] if printed else "no output"
            seconds = time.monotonic() - began
            self.outcomes.append(Outcome(title, good, closing, seconds, "" if good else "\n".join(lines)))
            if not good:
                raise Tolerated(closing)
            return closing

        return Step(title, action, after=after)

    def lint_steps(self) -> list[Step]:
        """ruff and mypy, one after the other: they share the cores with what else starts."""
        return [
            self.check("ruff", [sys.executable, "-m", "ruff", "check", "."]),
            self.check("mypy", [sys.executable, "-m", "mypy"], after=("ruff",)),
        ]

    def browser_step(self, *, need: bool) -> Step:
        """Chromium. Without it the page's tests are left out, and the summary says so.

        With `need` that is a failure, unless it cannot be installed here.
        """

        def action(say: Say) -> str:
            began = time.monotonic()
            try:
                return chromium.ensure(say)
            except Tolerated as missing:
                good, seconds = not (need and chromium.is_installable()), time.monotonic() - began
                self.outcomes.append(Outcome("page in a browser", good, str(missing), seconds, left_out=True))
                raise

        # Not beside Java: apt-get works alone.
        return Step("Chromium", action, after=("Java",), quiet=True)

    def apply(self, budgets: Budgets, loops: Sequence[float]) -> None:
        """Groups that took much longer than their budgets fail; those that failed have their own reason."""
        for outcome in self.outcomes:
            if outcome.good and not outcome.left_out:
                overrun = budgets.overrun(outcome.title, outcome.seconds, loops)
                outcome.good, outcome.closing = not overrun, overrun or outcome.closing

    def summary(self) -> bool:
        """Print the outputs of what failed, then one line for each check. True when all is good."""
        for outcome in self.outcomes:
            if outcome.output and not outcome.good:
                self.console.rule(f"{outcome.title} failed")
                self.console.print(outcome.output, markup=False, highlight=False, soft_wrap=True)
        self.console.rule("summary")
        for outcome in self.outcomes:
            mark = "[red]✗[/]" if not outcome.good else "[yellow]–[/]" if outcome.left_out else "[green]✓[/]"
            self.console.print(f"{mark} {outcome.title} [dim]{outcome.seconds:.0f} s[/]: ", end="", highlight=False)
            self.console.print(outcome.closing, markup=False, highlight=False, soft_wrap=True)
        return all(outcome.good for outcome in self.outcomes)


def pytest(*arguments: str) -> list[str]:
    """The command. It ends with the slowest tests, so that a run that grew long says in its log by what."""
    return [sys.executable, "-m", "pytest", "--durations", "25", "--durations-min", "3", *arguments]


TOOLS_READY = ("Java", "Jars of Spark", "Jars of Kafka")
# A file stays on one worker, so that each worker starts Spark once at most.
UNIT = ("-m", "not services", "-n", "2", "--dist", "loadfile")
COVERAGE = ("--cov", "--cov-branch", "--cov-report=", "--cov-fail-under=0")
"""What the processes of unit tests run is measured; commands that they start, and service tests, are not."""


def unit_steps(trial: Trial, scope: Scope) -> list[Step]:
    """Unit tests, and how much of the code they run. Beside a stack they give way to what waits less."""
    if scope is Scope.SMOKE:
        files = changed_tests.tests_of(changed_tests.changed_files(), changed_tests.unit_test_files())
        command = pytest(*(files or ["tests/test_house.py"]), *UNIT)
        return [trial.check("changed unit tests", command, after=("mypy", *TOOLS_READY))]
    command = pytest("tests", "--ignore", "tests/services", *UNIT)
    if scope is Scope.UNIT:
        return [trial.check("unit tests", command, after=("mypy", *TOOLS_READY))]
    title = "unit tests beside the stack"
    return [
        trial.check(title, ["nice", "-n", str(GIVES_WAY), *command, *COVERAGE], after=("mypy", *TOOLS_READY)),
        trial.check("coverage", [sys.executable, "-m", "coverage", "report", "--skip-covered"], after=(title,)),
    ]


def service_steps(trial: Trial, scope: Scope) -> list[Step]:
    """A group of service tests after the other. A line a test, for they take minutes: it is what progress shows."""
    ready = ("mypy", "Chromium", *deploy.STEPS)
    if scope is Scope.SMOKE:
        return [trial.check("smoke", pytest("tests/services/flows", "-m", "services and smoke", "-vv"), after=ready)]
    steps: list[Step] = []
    for group in service_groups():
        # Two workers: what shares the stack on one, what is marked `beside` on the other.
        command = pytest(f"tests/services/{group}", "-m", "services", "-vv", "-n", "2", "--dist", "loadscope")
        steps.append(trial.check(group, command, after=(*ready, *(step.title for step in steps[-1:]))))
    return steps


def run(
    settings: Settings, console: Console, arguments: Sequence[str], scope: Scope, need_browser: bool = False
) -> int:
    """The exit code of the run. Its stack is fresh at the start and gone at the end, whatever happens."""
    stack = Stack(settings)
    trial = Trial(stack, console)
    with stack.alone():
        stack.reset()
        stack.check_ports()
        settings.logs.mkdir(parents=True, exist_ok=True)
        loops, began = [measure_machine()], time.monotonic()
        steps = stack.tool_steps()
        # Without MinIO, unit tests need not wait for its build.
        if scope is Scope.UNIT:
            steps = [*(step for step in steps if step.title != "MinIO's binary"), stack.archive_step()]
        else:
            databases = [*stack.database_steps(), *stack.airflow_steps()]
            browser = trial.browser_step(need=need_browser)
            later = replace(stack.archive_step(), after=("Jars of Spark", "MinIO's binary"))
            steps = [*stack.up_steps(), *databases, *deploy.steps(settings), browser, later]
        try:
            if arguments:
                StepRunner(console).run(steps)
                return _foreground(trial, arguments)
            checks = [*trial.lint_steps(), *unit_steps(trial, scope)]
            if scope is not Scope.UNIT:
                checks += service_steps(trial, scope)
            StepRunner(console).run([*steps, *checks])
        finally:
            children.stop_children()
            stack.down()
        # Again when nothing of ours runs: what else the machine does may have begun meanwhile.
        loops.append(measure_machine())
        took = time.monotonic() - began
        trial.outcomes.append(Outcome(f"all of {scope.value}", True, "from the start to the end", took))
        trial.apply(Budgets.read(), loops)
        good = trial.summary()
    if good:
        shutil.rmtree(settings.data, ignore_errors=True)
    else:
        console.print(f"The outputs and the parts' logs: {settings.logs}", soft_wrap=True)
    return 0 if good else 1


def _foreground(trial: Trial, arguments: Sequence[str]) -> int:
    """pytest as the user called it, on the terminal."""
    env = children.environment(trial.settings, trial.stack.tools.java_home, part="tests") | QUICK
    paths = [argument if not Path(argument).exists() else str(Path(argument).resolve()) for argument in arguments]
    # With the reasons of what is left out.
    child = subprocess.Popen(pytest("-rs", *paths), env=env, cwd=REPOSITORY, text=True)
    with children.tracked(child):
        code = child.wait()
    return 0 if code == 0 else 1
