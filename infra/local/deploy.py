"""What the contracts ask of the running parts: topics, the bucket, ClickHouse's databases, tables and views."""

from __future__ import annotations

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from minio import Minio

from conf import Settings
from infra.local.errors import Failed
from schemas.contract import contracts, topics


def create_topics(settings: Settings) -> str:
    """Create the topics that are missing. A topic that exists keeps its partitions, and gets the contract's settings."""
    from confluent_kafka.admin import (
        AdminClient,
        AlterConfigOpType,
        ConfigEntry,
        ConfigResource,
        NewTopic,
        ResourceType,
    )

    admin = AdminClient({"bootstrap.servers": settings.kafka})
    there = set(admin.list_topics(timeout=20).topics)
    wanted = topics()
    missing = [NewTopic(t.name, t.partitions, 1, config=dict(t.config)) for t in wanted if t.name not in there]
    # Their futures raise what went wrong; two commands may create the same topic at the same time.
    for future in (admin.create_topics(missing, operation_timeout=20) if missing else {}).values():
        error = future.exception()
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
    return f"{len(wanted)} topics, {len(missing)} new"


def create_bucket(settings: Settings) -> str:
    """The lake's bucket."""
    scheme, _, endpoint = settings.s3.partition("://")
    client = Minio(endpoint, settings.s3_key, settings.s3_secret, secure=scheme == "https")
    if not client.bucket_exists(settings.bucket):
        client.make_bucket(settings.bucket)
    return settings.bucket


def create_tables(settings: Settings) -> str:
    """ClickHouse's side of every contract. `Failed`, naming table and column, where a live table disagrees."""
    from schemas.derive import clickhouse as derived
    from schemas.live import Disagreement, apply_clickhouse

    client = connect(settings)
    try:
        served = [contract for contract in contracts() if contract.clickhouse]
        apply_clickhouse(client, served, derived.views())
    except Disagreement as difference:
        raise Failed(str(difference)) from None
    finally:
        client.close()
    return f"{len(served)} tables"


def connect(settings: Settings) -> Client:
    """ClickHouse as the application's user."""
    host, port = settings.clickhouse
    return clickhouse_connect.get_client(
        host=host, port=port, username=settings.clickhouse_user, password=settings.clickhouse_secret
    )
