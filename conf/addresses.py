"""The addresses of a stack: `./start.sh urls` lists them, the page at `/` links to them."""

from __future__ import annotations

from dataclasses import dataclass

from conf.domain_settings import domain_settings
from conf.settings import KAFKA_USER, LOOPBACK, Settings

AIRFLOW_USER = "sauda"


@dataclass(frozen=True)
class Address:
    """`link` is its short name on the page, beside its part; without one it is not shown there.

    `secret` is the name of the password in secrets.json.
    """

    part: str
    title: str
    url: str
    link: str = ""
    user: str = ""
    secret: str = ""


def page(settings: Settings, port: str) -> str:
    """The address of a port of this machine, by the port's name."""
    return f"http://{LOOPBACK}:{settings.port(port)}"


def addresses(settings: Settings) -> list[Address]:
    """All of them; some answer only while their part runs."""
    api, stream, clickhouse = (page(settings, port) for port in ("api", "metrics", "clickhouse"))
    reader, s3 = ("reader", "clickhouse_reader"), (settings.s3_key, "minio")
    return [
        Address("api", "Page: what flows right now", f"{api}/"),
        Address("api", "REST API: its paths", f"{api}/docs", "Reference", "", "api_key"),
        Address("api", "Metrics of the REST API", f"{api}/metrics", "Metrics"),
        Address("api", "Data Docs: what the gates found", f"{api}/data-docs/index.html", "Data Docs"),
        Address("airflow", "Airflow", f"{page(settings, 'airflow')}/", "Airflow", AIRFLOW_USER, "airflow"),
        Address("stream", "Spark UI of the stream", f"{page(settings, 'spark_ui')}/", "Spark UI"),
        Address("stream", "Metrics of the stream", f"{stream}/metrics", "Metrics"),
        Address("jobs", "Spark UI of a job while it runs", f"{page(settings, 'job_ui')}/", "Spark UI"),
        Address("history", "Spark History Server (finished jobs)", f"{page(settings, 'history')}/", "Finished jobs"),
        Address("minio", "MinIO console", f"{page(settings, 'minio_console')}/", "Console", *s3),
        Address("minio", "S3", settings.s3, "", *s3),
        Address("clickhouse", "ClickHouse over HTTP", clickhouse, "", *reader),
        Address("clickhouse", "ClickHouse: write SQL", f"{clickhouse}/play?user=reader", "Write SQL", *reader),
        Address("clickhouse", "ClickHouse: its pages", f"{clickhouse}/ui", "Its pages", *reader),
        Address(
            "clickhouse", "ClickHouse over TCP", f"{LOOPBACK}:{settings.port('clickhouse_tcp')}", "", "sauda",
            "clickhouse",
        ),
        (
            Address("kafka", "Kafka", settings.kafka)
            if settings.kafka_bootstrap
            else Address("kafka", "Kafka (SASL_PLAINTEXT, PLAIN)", settings.kafka, "", KAFKA_USER, "kafka")
        ),
        Address("postgres", "PostgreSQL", f"{LOOPBACK}:{settings.port('postgres')}", "", "sauda", "postgres"),
        *(address for domain in domain_settings() for address in domain.domain_addresses(settings)),
    ]  # fmt: skip
