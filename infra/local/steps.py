"""Steps with dependencies: those that do not need each other run side by side, each with a tick and its seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table

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
    said: str = ""
    error: BaseException | None = None
    done: bool = False
    heard: float = 0.0


@dataclass
class Runner:
    """Runs steps on daemon threads, so that Ctrl-C in the main thread ends the program at once."""

    console: Console
    plain_every: float = 20.0
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
                state.said = text

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
                if not (good and step.quiet and seconds < 1):
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
                    states[step.title].started = states[step.title].heard = time.monotonic()
                    threading.Thread(target=work, args=(step,), name=step.title, daemon=True).start()
                changed.wait(timeout=0.2)
                refresh()

    def _screen(self, states: dict[str, _State]) -> _Screen:
        return _Screen(self.console, states, self.plain_every)


class _Screen:
    """On a terminal a live list of the steps at work, elsewhere a plain line now and then for the long ones."""

    def __init__(self, console: Console, states: dict[str, _State], plain_every: float) -> None:
        self.console, self.states, self.plain_every = console, states, plain_every
        self.live = Live(console=console, transient=True, refresh_per_second=8) if console.is_terminal else None
        self.spinners: dict[str, Spinner] = {}

    def __enter__(self) -> Callable[[], None]:
        if self.live:
            self.live.start()
        return self.refresh

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def refresh(self) -> None:
        now = time.monotonic()
        busy = [(title, state) for title, state in self.states.items() if state.started and not state.done]
        if self.live:
            table = Table.grid(padding=(0, 1))
            for title, state in busy:
                spinner = self.spinners.setdefault(title, Spinner("dots"))
                spinner.update(text=f"{title}  [dim]{escape(state.said)}  {now - state.started:.0f} s[/]")
                table.add_row(spinner)
            self.live.update(table)
            return
        for title, state in busy:
            if now - state.heard >= self.plain_every:
                state.heard = now
                self.console.print(f"  {title}: {state.said or 'at work'}  {now - state.started:.0f} s", markup=False)


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
