"""What the contracts ask of the running parts: topics, the bucket, ClickHouse's databases and tables."""

from __future__ import annotations

from conf import Settings
from conf.connect import clickhouse, s3
from conf.stream_progress import kafka_admin
from infra.local.errors import Failed, Tolerated
from infra.local.parts import title
from infra.local.steps import Step
from schemas.contract import contracts, topics
from schemas.derive import base_currency, latest_views, views
from schemas.derive.clickhouse import create_database, qualified
from schemas.derive.live_tables import ClickHouseClient, apply_each

LIVE_STEPS, LAKE_STEPS = ("Topics", "Tables"), ("Bucket",)
STEPS = (*LIVE_STEPS, *LAKE_STEPS)


def steps(settings: Settings) -> list[Step]:
    """Each as soon as its part answers; their titles are `STEPS`."""
    return [
        Step("Topics", lambda _: create_topics(settings), after=(title(settings, "kafka"),)),
        Step("Bucket", lambda _: create_bucket(settings), after=(title(settings, "minio"),), quiet=True),
        Step("Tables", lambda _: create_tables(settings), after=(title(settings, "clickhouse"),)),
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


def create_tables(settings: Settings) -> str:
    """ClickHouse's tables and views.

    Raises `Tolerated` for a table that differs from its contract: that stops only its own domain, in the stream. What
    differs is also in the `status` of the domain's queries.
    """
    client = clickhouse(settings)
    try:
        done, mismatch = apply_each(client, contracts())
        base = base_currency.view(settings.base_currency, settings.rate_days)
        # A view cannot be made over a table that lacks its columns: it stays as it was.
        kept = create_views(client, base, is_tolerant=mismatch is not None)
    finally:
        client.close()
    changes = f"{len(done)} changes" if done else ""
    if mismatch is None:
        return changes
    stale = f"\nThese views stay as they were: {', '.join(kept)}." if kept else ""
    raise Tolerated(
        f"{changes}\nA table differs from its contract, so its domain is stopped.\n{mismatch}{stale}".strip()
    )


def create_views(client: ClickHouseClient, base: str = "", *, is_tolerant: bool = False) -> list[str]:
    """All views, each as its file or contract has it today, with what it and its columns are.

    `base` is the statement that makes the view of the base currency, where it is not the default. Returns the names of
    those that could not be made, where that `is_tolerant`.
    """
    kept = []
    client.command(create_database(latest_views.LOOKUP))
    all_views = views.all_views()
    for view in all_views:
        try:
            client.command(base if base and view.name == base_currency.NAME else view.statement)
        except Exception:
            if not is_tolerant:
                raise
            kept.append(view.name)
    columns: dict[str, list[str]] = {}
    for name, column in client.query(
        "SELECT concat(database, '.', table), name FROM system.columns WHERE database IN {databases:Array(String)}",
        parameters={"databases": sorted({view.name.partition(".")[0] for view in all_views})},
    ).result_rows:
        columns.setdefault(name, []).append(column)
    for view in (view for view in all_views if view.name not in kept):
        for statement in views.comment_statements(view, columns.get(view.name, [])):
            client.command(statement)
    for name in views.former_names(all_views):
        client.command(f"DROP VIEW IF EXISTS {qualified(name)}")
    return kept
