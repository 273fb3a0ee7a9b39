"""Simulated purchases as a source of the command line."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

import click

from ingestion.core.message import Message
from ingestion.core.registry import RunContext, Source
from standins.world.faults import Faults
from standins.world.simulator import events
from standins.world.world import make_world

SHARE = click.FloatRange(0, 1)


class Simulation:
    """A run of the simulator."""

    topic = "purchases"

    def __init__(
        self, *, seed: int, until: datetime, days: int, n: int, run_id: str, single_line: bool, faults: Faults
    ) -> None:
        self._world = make_world(seed, until=until, days=days)
        self._n, self._run_id, self._single_line, self._faults = n, run_id, single_line, faults
        self.total = n + round(n * faults.duplicates * (1 - faults.poison))
        self.again = (
            f"The same options with --seed {seed} --run-id {run_id} --until {until.isoformat()} send the same events "
            "again; those that arrived are not doubled."
        )

    def messages(self) -> Iterator[Message]:
        faulty = self._faults.duplicates or self._faults.poison or self._faults.oversized
        return events(
            self._world, self._n, run_id=self._run_id, single_line=self._single_line,
            faults=self._faults if faulty else None,
        )  # fmt: skip

    def figures(self) -> dict[str, int]:
        return {}

    def closing(self) -> str:
        planted = [f"a {p.kind} of {p.seller_id} on {p.sold_on}" for p in self._world.planted]
        return "" if not planted or self._single_line else f"Planted: {' and '.join(planted)}."


def _utc(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no time; one like 2026-01-31T12:00:00Z was expected.") from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _open(
    context: RunContext, *, events: int, seed: int, days: int, until: datetime | None, duplicates: float, poison: float,
    oversized: int, single_line: bool, run_id: str | None,
) -> Simulation:  # fmt: skip
    return Simulation(
        seed=seed, until=until or context.now, days=days, n=events, single_line=single_line,
        run_id=run_id or f"{context.now:%y%m%d%H%M%S}-{secrets.token_hex(2)}",
        faults=Faults(context.now, duplicates, poison, oversized),
    )  # fmt: skip


SOURCE = Source(
    "purchases.simulate",
    "Purchases of a simulated world: the same seed gives the same trade.",
    (
        click.Option(["--events"], type=click.IntRange(0), default=5_000, show_default=True, help="How many."),
        click.Option(["--seed"], type=int, default=7, show_default=True),
        click.Option(
            ["--days"], type=click.IntRange(1, 3_650), default=60, show_default=True,
            help="The purchases are spread over so many days …",
        ),
        click.Option(["--until"], callback=_utc, help="… before this instant.  [default: now]"),
        click.Option(["--duplicates"], type=SHARE, default=0.0, help="Share of events that are sent twice."),
        click.Option(["--poison"], type=SHARE, default=0.0, help="Share of events that are broken, in all known ways."),
        click.Option(["--oversized"], type=click.IntRange(0), default=0, help="Number of events of 5 MB."),
        click.Option(["--single-line"], is_flag=True, help="One line a purchase, made fast, for measurements."),
        click.Option(
            ["--run-id"], help="Begins every event id; equal seed and run id give equal ids.  [default: a new one]"
        ),
    ),
    _open,
)  # fmt: skip
