"""The measurements' one command: ``python -m bench.run [NAMES]``, which ``./start.sh bench`` runs on its own stack."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import click
from rich.console import Console

from bench import drain, freshness, ground, report
from bench.report import RESULTS, Report
from conf import Settings, settings
from conf.domain_settings import setting_fields
from infra.local.errors import Failed
from infra.local.tools import java

NAMES = ("drain", "freshness", "nightly", "memory", "collect", "api")


@dataclass(frozen=True)
class Chosen:
    """What was asked for."""

    settings: Settings
    events: int
    quick: bool
    seconds: float
    env: Mapping[str, str]
    console: Console
    began: float

    def say(self, what: str) -> None:
        """A line of progress, with the minutes since the start."""
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        self.console.print(f"[dim]{minutes}:{seconds:02d}[/]  {what}")


def _drain(chosen: Chosen) -> list[Report]:
    return drain.run(chosen.settings, chosen.events, chosen.say, env=chosen.env)


def _memory(chosen: Chosen) -> list[Report]:
    return drain.run(chosen.settings, chosen.events, chosen.say, env=chosen.env, rival=False)


def _freshness(chosen: Chosen) -> list[Report]:
    return freshness.run(chosen.settings, chosen.seconds, chosen.say, env=chosen.env)


def _nightly(chosen: Chosen) -> list[Report]:
    from bench import nightly

    return nightly.run(chosen.settings, chosen.quick, chosen.say)


def _collect(chosen: Chosen) -> list[Report]:
    from bench import collect

    return collect.run(chosen.settings, chosen.quick, chosen.say)


def _api(chosen: Chosen) -> list[Report]:
    from bench import api

    return api.run(chosen.settings, chosen.quick, chosen.say, chosen.env)


MEASURES: dict[str, Callable[[Chosen], list[Report]]] = {
    "drain": _drain,
    "freshness": _freshness,
    "nightly": _nightly,
    "memory": _memory,
    "collect": _collect,
    "api": _api,
}


def setting(text: str) -> tuple[str, str]:
    """``lake_trigger_seconds=1`` as a variable of the environment."""
    name, mark, value = text.partition("=")
    if not mark or name not in setting_fields():
        raise click.BadParameter(f"{text} is not NAME=VALUE with a setting of conf/settings.py", param_hint="--set")
    return f"SAUDA_{name.upper()}", value


def _terminated(*_: object) -> None:
    raise KeyboardInterrupt


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--events", type=click.IntRange(1_000), help=f"Records of the drain.  [default: {drain.RECORDS:,}]")
@click.option("--seconds", type=float, help="Seconds at each rate of freshness.  [default: 30; quick: 8]")
@click.option("--quick", is_flag=True, help="Small sizes: to see that it works, not to measure.")
@click.option(
    "--set", "pairs", multiple=True, metavar="NAME=VALUE", help="A setting for the stream, e.g. lake_trigger_seconds=1"
)
def main(
    names: tuple[str, ...], events: int | None, seconds: float | None, quick: bool, pairs: tuple[str, ...]
) -> None:
    """Measure (everything, or what is named) against rivals; results go to bench/results/.

    It wipes the stack it runs on, which must be up and must not be `main`: ./start.sh bench sees to both.
    """
    # As after Ctrl-C: the processes that were started are ended.
    signal.signal(signal.SIGTERM, _terminated)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    chosen = Chosen(
        settings(),
        events or (drain.QUICK_RECORDS if quick else drain.RECORDS),
        quick,
        seconds or (freshness.QUICK_SECONDS if quick else freshness.SECONDS),
        dict(map(setting, pairs)),
        console,
        time.monotonic(),
    )
    wanted = [name for name in NAMES if name in names] if names else list(NAMES)
    if "drain" in wanted and "memory" in wanted:
        # The drain looks at memory anyway.
        wanted.remove("memory")
    try:
        ground.refuse_main(chosen.settings)
        # Figures of small sizes mean little, and must not replace those that do.
        folder = chosen.settings.stack_home / "bench-quick" if quick else RESULTS
        facts = report.machine(java.remembered(chosen.settings))
        reports: list[Report] = []
        for name in wanted:
            ground.need_parts(chosen.settings)
            console.print(f"[bold]{name}[/]")
            for each in MEASURES[name](chosen):
                report.write(each, facts, folder)
                reports.append(each)
        for each in reports:
            console.rule(each.title)
            report.show(each, console)
        console.print(f"\nWritten to {folder.name}: {', '.join(f'{m.name}.md' for m in reports)}")
    except Failed as error:
        click.echo(str(error), err=True)
        sys.exit(error.code)


if __name__ == "__main__":
    main()
