"""Connections made from the settings. Imports are inside, so that a process loads only what it uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conf.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client
    from minio import Minio
    from psycopg import Connection


def clickhouse(settings: Settings, *, reader: bool = False, **options: Any) -> Client:
    """A ClickHouse client over HTTP: the application's user, or the read-only one that people get.

    Inserts are synchronous: an asynchronous insert with a token can lose rows.
    """
    import clickhouse_connect

    host, port = settings.clickhouse
    user = "reader" if reader else settings.clickhouse_user
    password = settings.secrets.clickhouse_reader if reader else settings.clickhouse_secret
    session_settings = {} if reader else {"async_insert": 0, "wait_end_of_query": 1}
    return clickhouse_connect.get_client(
        host=host, port=port, username=user, password=password, settings=session_settings,
        autogenerate_session_id=False, compress="lz4", **options,
    )  # fmt: skip


def postgres(settings: Settings, *, database: str = "", **options: Any) -> Connection[Any]:
    """A connection to the shop's database, in UTC, or to another database of its server.

    Raises psycopg.OperationalError where it does not answer.
    """
    import psycopg

    given: dict[str, Any] = {"connect_timeout": 10, "application_name": f"sauda {settings.stack}"} | options
    if database:
        given["dbname"] = database
    return psycopg.connect(settings.postgres, options="-c timezone=UTC", **given)


def s3(settings: Settings) -> Minio:
    """An S3 client; any S3 service will do."""
    from minio import Minio

    scheme, _, host = settings.s3.partition("://")
    return Minio(
        host, access_key=settings.s3_key, secret_key=settings.s3_secret, secure=scheme == "https", region="us-east-1"
    )


def producer_config(settings: Settings) -> dict[str, Any]:
    """An idempotent producer: acknowledged means stored by every replica, once and in order."""
    return {
        "bootstrap.servers": settings.kafka,
        "enable.idempotence": True,
        "acks": "all",
        # The choice Java's clients make: a copy that Spark or a console sends again lands on the same partition.
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        # Who waits for the acknowledgement waits for each millisecond of it; with 2 the broker's requests hold so few
        # records that they cost it four times the processor time, which on two cores is waited for too.
        "linger.ms": 5,
        "message.max.bytes": 16_000_000,
        "queue.buffering.max.messages": 200_000,
        "queue.buffering.max.kbytes": 131_072,
        "delivery.timeout.ms": 120_000,
    }
