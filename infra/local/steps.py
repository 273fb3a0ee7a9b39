"""Steps with dependencies: those that do not need each other run side by side, each with a tick and its seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.text import Text

from infra.local.errors import Failed, Tolerated

Say = Callable[[str], None]
Action = Callable[[Say], str | None]


@dataclass(frozen=True)
class Step:
    """`action` is handed a function that shows how far it is, and may return a remark for its closing line.

    A step starts when all steps named in `after` are done. `Tolerated`, raised by an action, stops no other step;
    anything else raised stops the run. `quiet` steps print only when they fail or take long.
    """

    title: str
    action: Action
    after: Sequence[str] = ()
    quiet: bool = False


@dataclass
class _State:
    started: float = 0.0
    remark: str = ""
    error: BaseException | None = None
    done: bool = False


@dataclass
class StepRunner:
    """Runs steps on daemon threads, so that Ctrl-C in the main thread ends the program at once."""

    console: Console
    plain_every: float = 20.0
    is_brief: bool = False
    """Print no line for a step that ends well: the line of progress says how many have."""
    timings: dict[str, float] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)

    def run(self, steps: Sequence[Step]) -> None:
        """All steps, or the first failure: then nothing new starts, running steps are left to their threads."""
        check_graph(steps)
        states = {step.title: _State() for step in steps}
        waiting = list(steps)
        changed = threading.Condition()

        def work(step: Step) -> None:
            state = states[step.title]
            remark: str | None = None
            error: BaseException | None = None
            good = True

            def say(text: str) -> None:
                state.remark = text

            try:
                remark = step.action(say)
            except Tolerated as problem:
                remark, good = str(problem), False
            except BaseException as problem:
                error, good = problem, False
            seconds = time.monotonic() - state.started
            with changed:
                state.error, state.done = error, True
                self.timings[step.title] = seconds
                if remark:
                    self.remarks[step.title] = remark
                if not good or not (self.is_brief or (step.quiet and seconds < 1)):
                    mark = "[green]✓[/]" if good else "[red]✗[/]"
                    note = f"  [dim]{escape(remark)}[/]" if remark else ""
                    self.console.print(f"{mark} {step.title}{note}  [dim]{seconds:.1f} s[/]")
                changed.notify_all()

        with self._screen(states) as refresh, changed:
            while True:
                failed = next((s.error for s in states.values() if s.error is not None), None)
                if failed is not None:
                    raise failed
                if all(state.done for state in states.values()):
                    return
                for step in [s for s in waiting if all(states[need].done for need in s.after)]:
                    waiting.remove(step)
                    states[step.title].started = time.monotonic()
                    threading.Thread(target=work, args=(step,), name=step.title, daemon=True).start()
                changed.wait(timeout=0.2)
                refresh()

    def _screen(self, states: dict[str, _State]) -> _Screen:
        return _Screen(self.console, states, self.plain_every)


class _Screen:
    """One line that says how many steps are done and what is at work: kept up to date on a terminal, elsewhere printed
    now and then."""

    def __init__(self, console: Console, states: dict[str, _State], plain_every: float) -> None:
        self.console, self.states, self.plain_every = console, states, plain_every
        self.live = Live(console=console, transient=True, refresh_per_second=8) if console.is_terminal else None
        self.spinner = Spinner("dots")
        self.printed = time.monotonic()

    def __enter__(self) -> Callable[[], None]:
        if self.live:
            self.live.start()
        return self.refresh

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def refresh(self) -> None:
        now = time.monotonic()
        line = progress_line(self.states, now)
        if self.live:
            self.spinner.update(text=Text(line[: max(10, self.console.width - 4)]))
            self.live.update(self.spinner)
        elif now - self.printed >= self.plain_every:
            self.printed = now
            self.console.print(f"  {line}", markup=False, soft_wrap=True)


def progress_line(states: Mapping[str, _State], now: float) -> str:
    """``12 of 30 steps are done, at work: MinIO's binary (compiled 295 of about 1310 packages, 40 s), Kafka (3 s)``;
    the step that has been at work longest comes first."""
    busy = sorted(
        ((state.started, title, state) for title, state in states.items() if state.started and not state.done),
        key=lambda entry: entry[:2],
    )
    at_work = ", ".join(
        f"{title} ({state.remark}, {now - started:.0f} s)" if state.remark else f"{title} ({now - started:.0f} s)"
        for started, title, state in busy
    )
    done = sum(state.done for state in states.values())
    return f"{done} of {len(states)} steps are done" + (f", at work: {at_work}" if at_work else "")


def check_graph(steps: Sequence[Step]) -> None:
    """A step that waits for an unknown one or, over others, for itself is our own bug: say so before starting."""
    titles = {step.title for step in steps}
    left = {step.title: set(step.after) for step in steps}
    for title, needs in left.items():
        if needs - titles:
            raise Failed(f"step {title!r} waits for {sorted(needs - titles)}, which is not among the steps")
    while left:
        free = {title for title, needs in left.items() if not needs & left.keys()}
        if not free:
            raise Failed(f"these steps wait for one another: {sorted(left)}")
        for title in free:
            del left[title]
