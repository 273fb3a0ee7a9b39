"""What the contracts ask of the running parts: topics, the bucket, ClickHouse's databases and tables."""

from __future__ import annotations

from pathlib import Path

from conf import REPOSITORY, Settings
from conf.connect import clickhouse, s3
from conf.flow import kafka_admin
from infra.local.errors import Failed
from infra.local.parts import TITLES
from infra.local.steps import Step
from schemas.contract import contracts, topics
from schemas.derive import latest
from schemas.live import ContractMismatch, apply_clickhouse

STEPS = ("Topics", "Bucket", "Tables")


def steps(settings: Settings) -> list[Step]:
    """Each as soon as its part answers; their titles are `STEPS`."""
    return [
        Step("Topics", lambda _: create_topics(settings), after=(TITLES["kafka"],)),
        Step("Bucket", lambda _: create_bucket(settings), after=(TITLES["minio"],), quiet=True),
        Step("Tables", lambda _: create_tables(settings), after=(TITLES["clickhouse"],)),
    ]


def create_topics(settings: Settings) -> str:
    """Create the topics that are missing. A topic that exists keeps its partitions, and gets the contract's config."""
    from confluent_kafka.admin import (
        AlterConfigOpType,
        ConfigEntry,
        ConfigResource,
        NewTopic,
        ResourceType,
    )

    admin = kafka_admin(settings)
    there = set(admin.list_topics(timeout=20).topics)
    wanted = topics()
    missing = [NewTopic(t.name, t.partitions, 1, config=dict(t.config)) for t in wanted if t.name not in there]
    for future in (admin.create_topics(missing, operation_timeout=20) if missing else {}).values():
        error = future.exception()
        # Another command may have been faster.
        if error is not None and "already exists" not in str(error):
            raise Failed(f"A topic cannot be created: {error}")
    changes = [
        ConfigResource(
            ResourceType.TOPIC,
            topic.name,
            incremental_configs=[
                ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                for key, value in topic.config.items()
            ],
        )
        for topic in wanted
        if topic.name in there
    ]
    for future in (admin.incremental_alter_configs(changes) if changes else {}).values():
        future.result(timeout=20)
    return f"{len(wanted)} in all, {len(missing)} new"


def create_bucket(settings: Settings) -> str:
    """The lake's bucket."""
    client = s3(settings)
    if not client.bucket_exists(settings.bucket):
        client.make_bucket(settings.bucket)
    return settings.bucket


def views() -> list[Path]:
    """The files of the views, one a view; each replaces the view of its name."""
    return sorted((REPOSITORY / "infra" / "clickhouse" / "views").glob("*/*.sql"))


def create_tables(settings: Settings) -> str:
    """ClickHouse's tables and views. `Failed`, naming table and column, where a live table disagrees."""
    client = clickhouse(settings)
    try:
        done = apply_clickhouse(client, contracts())
        # Other views are made of these.
        for versions in latest.versioned():
            for statement in latest.views(versions):
                client.command(statement)
        for view in views():
            client.command(view.read_text())
    except ContractMismatch as difference:
        raise Failed(f"A contract and a live table disagree.\n{difference}") from None
    finally:
        client.close()
    return f"{len(done)} changes" if done else ""
