"""``./start.sh test``: linters, unit tests, then service tests on a stack of their own; one summary."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from conf import REPOSITORY, Settings
from conf.spark import GIVES_WAY
from infra.local import deploy
from infra.local.errors import Failed, Tolerated
from infra.local.processes import children
from infra.local.stack import Stack
from infra.local.steps import Runner, Say, Step
from infra.local.tools import chromium

QUICK = {"SAUDA_JAVA_COMPILER": "quick"}
"""Tests start Spark often and give it little to do."""


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
            said = [line.strip("= ") for line in lines if line.strip() and not line.startswith("[")]
            closing = said[-1] if said else "no output"
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


def run(
    settings: Settings, console: Console, arguments: Sequence[str], unit_only: bool, need_browser: bool = False
) -> int:
    """The exit code of the run. Its stack is fresh at the start and gone at the end, whatever happens."""
    stack = Stack(settings)
    trial = Trial(stack, console)
    with stack.alone():
        stack.reset()
        stack.check_ports()
        settings.logs.mkdir(parents=True, exist_ok=True)
        steps = stack.tool_steps()
        # Without MinIO, unit tests need not wait for its build.
        if unit_only:
            steps = [step for step in steps if step.title != "MinIO's binary"]
        else:
            databases = [*stack.database_steps(), *stack.airflow_steps()]
            browser = trial.browser_step(need=need_browser)
            steps = [*stack.up_steps(), *databases, *deploy.steps(settings), browser]
        tools_ready = ("Java", "Jars of Spark", "Jars of Kafka")
        try:
            if arguments:
                Runner(console).run(steps)
                return _foreground(trial, arguments)
            # A file stays on one worker, so that each worker starts Spark once at most. Service tests wait much, and
            # what is left of the unit tests when the stack is up gives way to them.
            few = ("-m", "not services", "-n", "2", "--dist", "loadfile")
            unit = ["nice", "-n", str(GIVES_WAY), *pytest("tests", "--ignore", "tests/services", *few)]
            checks = [*trial.lint_steps(), trial.check("unit tests", unit, after=("mypy", *tools_ready))]
            if not unit_only and _has_service_tests():
                # A line a test, for they take minutes: it is what the progress shows.
                service = pytest("tests/services", "-m", "services", "-vv")
                checks.append(trial.check("service tests", service, after=("mypy", "Chromium", *deploy.STEPS)))
            Runner(console).run([*steps, *checks])
            good = trial.summary()
        finally:
            children.stop_children()
            stack.down()
    if good:
        shutil.rmtree(settings.data, ignore_errors=True)
    else:
        console.print(f"The outputs and the parts' logs: {settings.logs}", soft_wrap=True)
    return 0 if good else 1


def _has_service_tests() -> bool:
    return any((REPOSITORY / "tests" / "services").glob("**/test_*.py"))


def _foreground(trial: Trial, arguments: Sequence[str]) -> int:
    """pytest as the user called it, on the terminal."""
    env = children.environment(trial.settings, trial.stack.tools.java_home, part="tests") | QUICK
    paths = [argument if not Path(argument).exists() else str(Path(argument).resolve()) for argument in arguments]
    # With the reasons of what is left out.
    child = subprocess.Popen(pytest("-rs", *paths), env=env, cwd=REPOSITORY, text=True)
    with children.tracked(child):
        code = child.wait()
    return 0 if code == 0 else 1
