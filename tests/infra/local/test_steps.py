"""Order, failure and output of steps."""

import threading
from io import StringIO

import pytest
from rich.console import Console

from infra.local.errors import Failed, Tolerated
from infra.local.steps import Step, StepRunner, _State, check_graph, progress_line


@pytest.fixture
def shown() -> StringIO:
    return StringIO()


@pytest.fixture
def runner(shown: StringIO) -> StepRunner:
    return StepRunner(Console(file=shown, width=120))


def test_a_step_starts_after_those_it_needs(runner: StepRunner) -> None:
    order: list[str] = []
    steps = [
        Step("table", lambda _: order.append("table"), after=("server", "topic")),
        Step("topic", lambda _: order.append("topic"), after=("server",)),
        Step("server", lambda _: order.append("server")),
    ]
    runner.run(steps)
    assert order == ["server", "topic", "table"]
    assert set(runner.timings) == {"server", "topic", "table"}


def test_independent_steps_run_side_by_side(runner: StepRunner) -> None:
    met = threading.Barrier(2, timeout=10)

    def meet(_: object) -> None:
        met.wait()

    runner.run([Step("one", meet), Step("two", meet)])


def test_each_step_ends_with_a_tick_its_remark_and_seconds(runner: StepRunner, shown: StringIO) -> None:
    runner.run([Step("Jars", lambda _: "52 jars")])
    assert shown.getvalue().split() == ["✓", "Jars", "52", "jars", "0.0", "s"]


def test_a_quick_quiet_step_says_nothing(runner: StepRunner, shown: StringIO) -> None:
    runner.run([Step("Java", lambda _: None, quiet=True)])
    assert shown.getvalue() == ""


def test_a_brief_run_prints_what_failed_and_how_many_steps_are_done(shown: StringIO) -> None:
    def warn(_: object) -> None:
        raise Tolerated("a table differs")

    runner = StepRunner(Console(file=shown, width=120), plain_every=0, is_brief=True)
    runner.run([Step("Jars", lambda _: "52 jars"), Step("Tables", warn, after=("Jars",))])
    lines = [line.strip() for line in shown.getvalue().splitlines()]
    assert "✗ Tables  a table differs  0.0 s" in lines
    assert any("of 2 steps are done" in line for line in lines)
    assert not any(line.startswith("✓") for line in lines)
    assert runner.remarks["Jars"] == "52 jars"


def test_the_progress_line_names_the_longest_step_first() -> None:
    states = {
        "Java": _State(started=1.0, done=True),
        "Kafka": _State(started=97.0),
        "MinIO's binary": _State(started=60.0, remark="compiled 295 of about 1310 packages"),
        "Bucket": _State(),
    }
    assert progress_line(states, 100.0) == (
        "1 of 4 steps are done, at work: MinIO's binary (compiled 295 of about 1310 packages, 40 s), Kafka (3 s)"
    )


def test_a_failure_is_raised_and_nothing_after_it_starts(runner: StepRunner, shown: StringIO) -> None:
    started: list[str] = []

    def fail(_: object) -> None:
        raise Failed("the disk is full")

    with pytest.raises(Failed, match="the disk is full"):
        runner.run([Step("bad", fail), Step("next", lambda _: started.append("next"), after=("bad",))])
    assert started == []
    assert "✗ bad" in shown.getvalue()


def test_a_tolerated_failure_stops_nothing(runner: StepRunner, shown: StringIO) -> None:
    started: list[str] = []

    def find_fault(_: object) -> None:
        raise Tolerated("found [3] faults")

    runner.run([Step("lint", find_fault), Step("tests", lambda _: started.append("tests"), after=("lint",))])
    assert started == ["tests"]
    assert "✗ lint  found [3] faults" in shown.getvalue()


def test_a_long_step_is_heard_of_without_a_terminal(shown: StringIO) -> None:
    runner = StepRunner(Console(file=shown, width=120), plain_every=0)
    heard = threading.Event()

    class Ears(StringIO):
        def write(self, text: str) -> int:
            if "compiled 3" in text:
                heard.set()
            return super().write(text)

    runner.console = Console(file=Ears(), width=120)

    def build(say: object) -> None:
        assert callable(say)
        say("compiled 3 of about 10")
        assert heard.wait(timeout=10)

    runner.run([Step("MinIO", build)])


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([Step("a", lambda _: None, after=("b",))], "waits for"),
        ([Step("a", lambda _: None, after=("b",)), Step("b", lambda _: None, after=("a",))], "wait for one another"),
    ],
)
def test_a_graph_that_cannot_run_is_refused(steps: list[Step], sentence: str) -> None:
    with pytest.raises(Failed, match=sentence):
        check_graph(steps)
