"""The paced sender as a process of its own, so that it never waits for whoever measures: ``python -m bench.sender``."""

from __future__ import annotations

import json

import click

from bench.stats import percentiles
from bench.traffic import Pace, send
from conf import settings


@click.command()
@click.option("--run", "run_id", required=True, help="Beginning of every event id.")
@click.option("--rate", type=float, required=True, help="Events a second.")
@click.option("--seconds", type=float, required=True)
@click.option("--start", type=float, required=True, help="When the first event is due, in Unix seconds.")
def main(run_id: str, rate: float, seconds: float, start: float) -> None:
    """Send events at instants fixed in advance; ends with a line of JSON."""
    pace = Pace(run_id, rate, seconds, start)
    late = send(settings(), pace)
    click.echo(json.dumps({"events": pace.events, "late": percentiles(late)}))


if __name__ == "__main__":
    main()
