"""The paced sender as a process of its own, so that it never waits for whoever measures: ``python -m bench.sender``."""

from __future__ import annotations

import json
import time

import click

from bench.stats import percentiles
from bench.traffic import Pace, Sender
from conf import settings


@click.command()
@click.option("--run", "run_id", required=True, help="Beginning of every event id.")
@click.option("--rate", type=float, required=True, help="Events a second.")
@click.option("--seconds", type=float, required=True)
def main(run_id: str, rate: float, seconds: float) -> None:
    """Send events at instants fixed in advance, the first a second after all is ready; ends with a line of JSON."""
    sender = Sender(settings())
    pace = Pace(run_id, rate, seconds, time.time() + 1.0)
    late = sender.send(pace)
    click.echo(json.dumps({"events": pace.events, "late": percentiles(late)}))


if __name__ == "__main__":
    main()
