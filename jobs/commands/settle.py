"""Waits until lake and ClickHouse have what is in a topic now: ``python -m jobs.commands.settle TOPIC… [--minutes N]``.

What comes into the topic meanwhile is not waited for. Exit code 0: all of it has arrived. 1: not in that time, or
Kafka is down. 2: there is no such topic.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import click

from conf import settings
from conf.stream_progress import Unsettled, settle
from jobs.core.command_line import with_exit_code
from jobs.core.errors import Failed, Refused
from schemas.contract import topics

PRINT_SECONDS = 5.0


@click.command()
@click.argument("topic", nargs=-1, required=True)
@click.option("--minutes", type=float, default=10.0, show_default=True, help="How long to wait.")
@with_exit_code
def main(topic: tuple[str, ...], minutes: float) -> int:
    """Wait until lake and ClickHouse have all that TOPICs hold now, such as procurement-events."""
    began = time.monotonic()
    wait(list(topic), minutes)
    print(f"Lake and ClickHouse have all of {', '.join(topic)}, after {time.monotonic() - began:.1f} s.")
    return 0


def wait(names: Sequence[str], minutes: float) -> None:
    """Raises Refused for an unknown topic, Failed at the deadline or where Kafka does not answer."""
    from confluent_kafka import KafkaException

    known = [topic.name for topic in topics()]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Refused(f"No topic is called {', '.join(unknown)}; there are: {', '.join(known)}")
    try:
        settle(settings(), names, minutes * 60, now_and_then(lambda text: print(text, flush=True)))
    except Unsettled as late:
        raise Failed(f"{late} See: ./start.sh status, ./start.sh logs stream") from None
    except KafkaException as error:
        raise Failed(f"Kafka does not answer: {error.args[0]}. Start it: ./start.sh") from None
    except KeyError as missing:
        raise Failed(f"Kafka has no topic {missing.args[0]}. Create it: ./start.sh") from None


def now_and_then(say: Callable[[str], None], seconds: float = PRINT_SECONDS) -> Callable[[str], None]:
    """Says only what is new, and not more often than every so many seconds."""
    last = ("", float("-inf"))

    def print_new(text: str) -> None:
        nonlocal last
        if text != last[0] and time.monotonic() - last[1] >= seconds:
            last = (text, time.monotonic())
            say(text)

    return print_new


if __name__ == "__main__":
    main()
