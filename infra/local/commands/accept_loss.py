"""``./start.sh accept-loss``: what the streams cannot read any more, and going on without it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from conf import Settings
from conf.stream_progress import accepted_file, stream_progress
from infra.local.command_line import current
from infra.local.errors import Failed, Refused
from infra.local.stack import Stack
from schemas.contract import topics

JOURNAL = "ops.lost_offsets"


def of(settings: Settings, topic: str) -> list[dict[str, Any]]:
    """What the streams say is lost of a topic, each partition once. `Refused` for a topic that there is not."""
    known = [each.name for each in topics()]
    if topic not in known:
        raise Refused(f"No topic is called {topic!r}; there are: {', '.join(known)}")
    # The lake lane's word counts: what it has, the live lane has not lost.
    queries = sorted(stream_progress(settings)["queries"].items(), key=lambda pair: pair[0].startswith("lake:"))
    losses = {loss["partition"]: loss for _, query in queries for loss in query["lost"] if loss["topic"] == topic}
    return [losses[partition] for partition in sorted(losses, key=int)]


def note(settings: Settings, topic: str, lost: Sequence[dict[str, Any]]) -> Path:
    """Write down that it is accepted, for the stream's next start."""
    file = accepted_file(settings, topic)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({"accepted_at": datetime.now(UTC).isoformat(), "losses": list(lost)}))
    fresh.replace(file)
    return file


def accept(settings: Settings, stack: Stack, topic: str, lost: Sequence[dict[str, Any]]) -> None:
    """Write down that it is accepted and start the stream anew, which settles it. `Failed` where it does not."""
    file = note(settings, topic, lost)
    stack.supervisor.stop("stream")
    stack.supervisor.start("stream")
    stack.wait_for("stream", lambda _: None)
    if file.exists() and of(settings, topic):
        raise Failed(f"{topic} does not go on. See: ./start.sh logs stream")


@click.command("accept-loss")
@click.argument("topic")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print what was accepted as one line of JSON.")
def accept_loss(topic: str, yes: bool, as_json: bool) -> None:
    """Go on without what Kafka has lost of a TOPIC before it was read; `status` and `doctor` say what that is.

    What is lost is journalled in ops.lost_offsets. Nothing is done where nothing is lost. The stream starts anew.
    """
    chosen = current()
    stack = Stack(chosen)
    stack.need("kafka", "clickhouse", "stream")
    lost = of(chosen, topic)
    for loss in lost:
        click.echo(loss["sentence"], err=as_json)
    if lost and not yes:
        click.confirm(f"Go on without them? It is journalled in {JOURNAL}", abort=True, err=as_json)
    if lost:
        with stack.alone():
            accept(chosen, stack, topic, lost)
    closing = f"{topic}: accepted, and the streams go on." if lost else f"Nothing of {topic} is lost."
    click.echo(json.dumps({"topic": topic, "accepted": lost}) if as_json else closing)
