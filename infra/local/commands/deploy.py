"""``./start.sh deploy``: what the contracts need in the running parts."""

from __future__ import annotations

import click

from infra.local import deploy as steps
from infra.local.command_line import StackCommand, current


@click.command(cls=StackCommand, needs=("kafka", "minio", "clickhouse"), hidden=True)
def deploy() -> None:
    """Create topics, the bucket and ClickHouse's tables in a running stack."""
    chosen = current()
    for action in (steps.create_topics, steps.create_bucket, steps.create_tables):
        action(chosen)
