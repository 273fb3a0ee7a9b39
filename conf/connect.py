"""Connections by the settings. Imports are inside, so that a process loads only what it uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from conf.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client
    from confluent_kafka import KafkaError, Producer
    from deltalake import DeltaTable
    from minio import Minio
    from psycopg import Connection


READ_COMMITTED = "read_committed"
"""The isolation level of all readers of Kafka: events of a transaction are visible once it is committed."""


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


def s3(settings: Settings, retries: int | None = None) -> Minio:
    """An S3 client; any S3 service will do. `retries` is how often a call that got no answer is repeated, without it as
    often as the library has it."""
    from minio import Minio
    from urllib3 import PoolManager

    scheme, _, host = settings.s3.partition("://")
    return Minio(
        host, access_key=settings.s3_key, secret_key=settings.s3_secret, secure=scheme == "https", region="us-east-1",
        http_client=None if retries is None else PoolManager(retries=retries, timeout=5),
    )  # fmt: skip


def delta_table(settings: Settings, path: str) -> DeltaTable | None:
    """A Delta table as its log says, without Spark: version, schema, properties. None where there is no table.

    `path` is the table's path as Spark takes it. Reading costs some 12 ms on a local S3 service, and memory in
    proportion to the table's files.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    scheme, separator, rest = path.rpartition("://")
    options = None
    if scheme in ("s3", "s3a"):
        scheme = "s3"
        options = {
            "AWS_ENDPOINT_URL": settings.s3, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": settings.s3_key, "AWS_SECRET_ACCESS_KEY": settings.s3_secret,
        }  # fmt: skip
    try:
        return DeltaTable(f"{scheme}{separator}{rest}", storage_options=options)
    except TableNotFoundError:
        return None


def kafka_config(settings: Settings) -> dict[str, Any]:
    """The options of every client of librdkafka: the address of Kafka and the login."""
    login = settings.kafka_login
    config: dict[str, Any] = {"bootstrap.servers": settings.kafka, "security.protocol": login.protocol}
    if login.mechanism:
        config |= {
            "sasl.mechanism": login.mechanism, "sasl.username": login.user, "sasl.password": login.password,
        }  # fmt: skip
    if settings.kafka_ca_file:
        config["ssl.ca.location"] = str(settings.kafka_ca_file)
    return config


def kafka_spark_options(settings: Settings) -> dict[str, str]:
    """The same for Spark's source of Kafka, which reads only what was committed.

    The password is an option of the source and no setting of the session: those show in the UI and in event logs.
    """
    login = settings.kafka_login
    options = {
        "kafka.bootstrap.servers": settings.kafka,
        "kafka.security.protocol": login.protocol,
        "kafka.isolation.level": READ_COMMITTED,
    }
    if login.mechanism:
        options |= {
            "kafka.sasl.mechanism": login.mechanism,
            "kafka.sasl.jaas.config": jaas(login.mechanism, username=login.user, password=login.password),
        }
    if settings.kafka_ca_file:
        options |= {
            "kafka.ssl.truststore.type": "PEM",
            "kafka.ssl.truststore.location": str(settings.kafka_ca_file),
        }
    return options


def jaas(mechanism: str, **options: str) -> str:
    """An entry of Java's login configuration (JAAS) in one line, as Kafka's properties hold it."""
    module = "plain.PlainLoginModule" if mechanism == "PLAIN" else "scram.ScramLoginModule"
    words = " ".join(f"{name}={_jaas_quoted(value)}" for name, value in options.items())
    return f"org.apache.kafka.common.security.{module} required {words};"


def _jaas_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def consumer_config(settings: Settings, group: str) -> dict[str, Any]:
    """A consumer that keeps its own offsets, and reads no event of an aborted transaction."""
    return kafka_config(settings) | {
        "group.id": group, "enable.auto.commit": False, "isolation.level": READ_COMMITTED,
    }  # fmt: skip


def producer_config(settings: Settings) -> dict[str, Any]:
    """An idempotent producer: an acknowledged event is stored by every replica, once and in order."""
    return kafka_config(settings) | {
        "enable.idempotence": True,
        "acks": "all",
        # As Java's clients do: a copy that Spark or a console sends again lands on the same partition.
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        # A caller waits for the acknowledgement and so for this. But with 2 ms the broker's requests hold so few
        # records that they take four times the processor time, and on two cores the caller waits for that too.
        "linger.ms": 5,
        "message.max.bytes": 16_000_000,
        "queue.buffering.max.messages": 200_000,
        "queue.buffering.max.kbytes": 131_072,
        "delivery.timeout.ms": 120_000,
    }


def kafka_producer(config: Mapping[str, Any], on_error: Callable[[KafkaError], None] | None = None) -> Producer:
    """A producer with this configuration: `producer_config`, and what its user changes of it.

    The library's own log is off, for it repeats what the errors say that `on_error` is called with.
    """
    from confluent_kafka import Producer

    return Producer(dict(config) | {"log_level": 0} | ({"error_cb": on_error} if on_error else {}))
