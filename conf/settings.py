"""Every setting of Sauda, typed. The environment is read here and nowhere else.

A setting is an environment variable with the prefix ``SAUDA_``: ``SAUDA_KAFKA_PORT=19092 ./start.sh``.
A *stack* is one set of running parts with its own ports and data folder: ``main`` is what ``./start.sh``
runs, ``test`` and ``bench`` stand beside it. The tools (virtual environment, jars, MinIO) are shared.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from conf.secrets import Secrets, load_secrets

REPOSITORY = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
KAFKA_USER = "sauda"
PRIVATE = 0o077
"""The umask of all that Sauda starts."""
PORT_OFFSETS = {"main": 0, "bench": 10_000, "test": 20_000}


@dataclass(frozen=True)
class KafkaLogin:
    """In Kafka's own words; without a mechanism there is no user."""

    protocol: str
    mechanism: str = ""
    user: str = ""
    password: str = field(default="", repr=False)


class Settings(BaseSettings):
    """What can be set, with the defaults of one machine."""

    model_config = SettingsConfigDict(env_prefix="SAUDA_", extra="forbid", frozen=True, hide_input_in_errors=True)

    profile: Literal["local", "cluster"] = "local"
    stack: str = Field(default="main", pattern=r"^[a-z][a-z0-9]{0,15}$")
    home: Path = REPOSITORY / ".sauda"
    port_offset: int | None = Field(default=None, description="Added to each port that is not set itself.")

    kafka_port: int | None = None
    kafka_controller_port: int | None = None
    minio_port: int | None = None
    minio_console_port: int | None = None
    clickhouse_port: int | None = None
    clickhouse_tcp_port: int | None = None
    spark_ui_port: int | None = None
    job_ui_port: int | None = None
    history_port: int | None = None
    metrics_port: int | None = None
    postgres_port: int | None = None
    airflow_port: int | None = None
    supervisor_port: int | None = None
    goszakup_standin_port: int | None = None
    api_port: int | None = None

    # Set these to use parts that run elsewhere (profile `cluster`).
    kafka_bootstrap: str | None = None
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] | None = Field(
        default=None, description="Of `kafka_bootstrap`; unset it is SASL_SSL where there is a user, else PLAINTEXT."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How `kafka_user` logs in at `kafka_bootstrap`."
    )
    kafka_user: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: Path | None = Field(default=None, description="Certificates (PEM) to trust instead of the usual.")
    s3_endpoint: str | None = None
    s3_access_key: str | None = None
    s3_secret_key: SecretStr | None = None
    clickhouse_host: str | None = None
    clickhouse_user: str = "sauda"
    clickhouse_password: SecretStr | None = None
    postgres_url: SecretStr | None = Field(
        default=None,
        description="The shop's database, e.g. postgresql://user:password@host/sauda; else one is run here.",
    )
    airflow_database_url: SecretStr | None = Field(
        default=None, description="Airflow's own database, where `postgres_url` is set."
    )
    spark_master: str = "local[2]"
    stream_master: str = "local[4]"
    checkpoint_root: str | None = None

    bucket: str = "lake"
    warehouse_prefix: str = "warehouse"
    stream_memory: str = "1600m"
    job_memory: str = "1600m"
    java_home: Path | None = None
    java_compiler: Literal["auto", "quick", "full"] = Field(
        default="auto",
        description="How hard Java works on its code: `quick` for minutes of work, `full` for millions of rows; "
        "`auto` is full for the stream and goes by the rows for jobs.",
    )
    maven_central: str = "https://repo1.maven.org/maven2"

    live_trigger_seconds: float = 0.0
    lake_trigger_seconds: float = 15.0
    live_batch_events: int = 100_000
    live_backlog_events: int = Field(
        default=250_000,
        description="When more events wait, the live lane leaves them to the lake; 0 means never.",
    )
    lake_batch_events: int = 1_000_000
    dedup_days: int = Field(
        default=30, ge=1, description="A second copy of an event is found within so many days of ingestion."
    )
    compact_minutes: float = 30.0

    gates_change_pct: float = Field(
        default=50.0, gt=0, description="By how much a gold table's rows may differ from the day before, unsaid."
    )
    gates_sample_rows: int = Field(
        default=100_000, ge=0, description="Rows of each silver table that are judged after a night; 0 for none."
    )
    gates_quiet_days: int = Field(
        default=3, ge=1, description="Days without a new row of a streamed silver table, beyond which a night warns."
    )
    data_docs_runs: int = Field(default=14, ge=1, description="Runs whose findings the Data Docs show.")

    check_unresolved_pct: float = Field(
        default=5.0, ge=0, le=100, description="References of a column to rows that are not there: beyond it, a stop."
    )
    check_shrink_pct: float = Field(
        default=5.0, ge=0, le=100, description="By how much a table may have shrunk since the check before."
    )
    customers_overlap_seconds: float = Field(
        default=60.0, ge=0, description="How far before its mark an extract of customers looks, for clocks set back."
    )
    customers_gone_pct: float = Field(
        default=5.0, ge=0, le=100, description="Of known customers, how many may be gone in a full check, unsaid."
    )
    stage_days: int = Field(default=21, ge=1, description="How long loaded files stay in the stage area.")
    stage_file_mb: int = Field(default=512, ge=1, description="The largest file of products that is read.")
    stage_memory_mb: int = Field(
        default=2048, ge=512, description="Memory that reading a file of products may take; one that needs more is bad."
    )
    stage_kept_days: int = Field(
        default=365, ge=1, description="How long archived and refused files of products are kept."
    )

    shop_time_zone: str = Field(default="UTC", description="Zone of the times in the shop's files that name none.")
    base_currency: str = Field(
        default="KZT", pattern=r"^[A-Z]{3}$", description="In which money of several currencies is added up, ISO 4217."
    )
    rate_days: int = Field(
        default=7, ge=0, le=366, description="For how many days an exchange rate holds where there is no newer one."
    )
    rates_url: str = Field(default="https://nationalbank.kz/rss/get_rates.cfm", pattern=r"^https?://[^?#@\s]+$")
    rates_timeout_seconds: float = Field(default=30.0, gt=0)
    disk_low_mb: int = Field(default=1024, ge=0, description="Less: nothing is taken; half of it: Kafka stops; 0: off.")
    disk_reserve_mb: int = Field(default=256, ge=0, description="Kept allocated, and freed for a clean stop.")
    procurement_zone: str = Field(
        default="Asia/Almaty", description="Zone of the times in procurement registers that name none."
    )
    goszakup_url: str = Field(default="https://ows.goszakup.gov.kz", pattern=r"^https?://[^/?#@\s]+$")
    goszakup_collection: str = Field(
        default="goszakup", pattern=r"^[a-z][a-z0-9_]{0,30}$", description="Under which name its rows are kept."
    )
    goszakup_token: SecretStr | None = None
    goszakup_token_file: Path | None = Field(default=None, description="Holds the token, where it is not set itself.")
    goszakup_ca_bundle: Path | None = Field(default=None, description="Certificates to trust instead of the usual.")
    goszakup_requests_per_second: float = Field(default=5.0, gt=0, description="At most; the service may make it less.")
    goszakup_concurrency: int = Field(default=4, ge=1, le=64)
    goszakup_delay_seconds: float = Field(default=0.0, ge=0, description="Between two pages of one register.")
    goszakup_timeout_seconds: float = Field(default=30.0, gt=0)
    goszakup_standin_lots: int = Field(default=1_000, ge=200, description="How large a world the stand-in plays.")
    goszakup_page_limit: int = Field(default=500, ge=1, le=500)

    api_hosts: str = Field(
        default="127.0.0.1,localhost,[::1]", description="Names under which the API answers; others get 421."
    )
    api_body_bytes: int = Field(default=8_000_000, ge=1_000, description="The largest body of a request.")
    api_bodies_bytes: int = Field(
        default=64_000_000, ge=1_000, description="What the bodies of all requests under way may hold together."
    )
    api_body_seconds: float = Field(default=20.0, gt=0, description="In which a request must have sent its body.")
    api_header_seconds: float = Field(default=10.0, gt=0, description="In which a request must have sent its headers.")
    api_header_bytes: int = Field(default=32_000, ge=1_000, description="The largest head of a request.")
    api_answer_seconds: float = Field(default=20.0, gt=0, description="In which a client must read on in its answer.")
    api_connections: int = Field(default=1_000, ge=1, description="Connections at one time; more get 503.")
    api_queue_events: int = Field(
        default=20_000, ge=1_000, description="Events that may wait for Kafka's answer; more get 503."
    )
    api_kafka_seconds: float = Field(default=10.0, gt=0, description="How long Kafka may take to take a purchase.")
    api_cache_seconds: float = Field(default=5.0, gt=0, description="Age of the API's lists of keys and sellers.")
    api_stale_seconds: float = Field(
        default=3_600.0, gt=0, description="How long these lists are good while PostgreSQL is away."
    )
    api_stop_seconds: int = Field(default=20, ge=1, description="For requests under way when the API is told to stop.")
    alert_webhook: SecretStr | None = Field(
        default=None, description="Where a failed run of Airflow is told, as JSON with a field `text`, e.g. Slack's."
    )
    alert_telegram: SecretStr | None = Field(default=None, description="A bot's token and a chat: TOKEN@CHAT.")

    die_after: str = Field(default="", description="For tests: `step:n`, after which the stream kills itself.")

    @model_validator(mode="after")
    def _whole_login(self) -> Self:
        if bool(self.kafka_user) != bool(self.kafka_password):
            raise ValueError("SAUDA_KAFKA_USER and SAUDA_KAFKA_PASSWORD are set together, or neither of them")
        if (self.kafka_security_protocol or "").startswith("SASL_") and not self.kafka_user:
            raise ValueError(f"SAUDA_KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol} needs SAUDA_KAFKA_USER")
        return self

    @field_validator("shop_time_zone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no time zone; one like Asia/Almaty was expected") from None
        return name

    def port(self, name: str) -> int:
        """The port of a part, e.g. ``port("kafka")``; raises KeyError for an unknown part."""
        default = DEFAULT_PORTS[name]
        chosen: int | None = getattr(self, f"{name}_port")
        if chosen is not None:
            return chosen
        offset = self.port_offset if self.port_offset is not None else PORT_OFFSETS.get(self.stack, 0)
        return default + offset

    def environment(self) -> dict[str, str]:
        """The variables that give a child process these settings; secrets are among them."""
        chosen = {name: getattr(self, name) for name in self.model_fields_set}
        texts = {
            f"SAUDA_{name.upper()}": str(value.get_secret_value() if isinstance(value, SecretStr) else value)
            for name, value in chosen.items()
            if value is not None
        }
        return texts | {"SAUDA_STACK": self.stack, "SAUDA_HOME": str(self.home)}

    @property
    def tools(self) -> Path:
        return self.home / "tools"

    @property
    def jars(self) -> Path:
        return self.tools / "jars"

    @property
    def stack_home(self) -> Path:
        return self.home / "stacks" / self.stack

    @property
    def data(self) -> Path:
        return self.stack_home / "data"

    @property
    def logs(self) -> Path:
        return self.stack_home / "logs"

    @property
    def run(self) -> Path:
        return self.stack_home / "run"

    @property
    def data_docs(self) -> Path:
        """The site that shows what the gates found."""
        return self.data / "data-docs"

    @property
    def checkpoints(self) -> str:
        return self.checkpoint_root or str(self.data / "checkpoints")

    @cached_property
    def secrets(self) -> Secrets:
        """The passwords of this stack, made at first use and kept with mode 600."""
        return load_secrets(self.stack_home / "secrets.json")

    @property
    def kafka(self) -> str:
        return self.kafka_bootstrap or f"{LOOPBACK}:{self.port('kafka')}"

    @property
    def kafka_login(self) -> KafkaLogin:
        """How clients log in. The stack's own broker takes nobody without."""
        if not self.kafka_bootstrap:
            return KafkaLogin("SASL_PLAINTEXT", "PLAIN", KAFKA_USER, self.secrets.kafka)
        protocol = self.kafka_security_protocol or ("SASL_SSL" if self.kafka_user else "PLAINTEXT")
        if not protocol.startswith("SASL_"):
            return KafkaLogin(protocol)
        password = self.kafka_password.get_secret_value() if self.kafka_password else ""
        return KafkaLogin(protocol, self.kafka_sasl_mechanism, self.kafka_user or "", password)

    @property
    def s3(self) -> str:
        return self.s3_endpoint or f"http://{LOOPBACK}:{self.port('minio')}"

    @property
    def s3_key(self) -> str:
        return self.s3_access_key or "sauda"

    @property
    def s3_secret(self) -> str:
        return self.s3_secret_key.get_secret_value() if self.s3_secret_key else self.secrets.minio

    @property
    def clickhouse(self) -> tuple[str, int]:
        return (self.clickhouse_host or LOOPBACK, self.port("clickhouse"))

    @property
    def clickhouse_secret(self) -> str:
        return self.clickhouse_password.get_secret_value() if self.clickhouse_password else self.secrets.clickhouse

    @property
    def postgres(self) -> str:
        """The address of the shop's database, the password in it."""
        if self.postgres_url:
            return self.postgres_url.get_secret_value()
        return f"postgresql://sauda:{self.secrets.postgres}@{LOOPBACK}:{self.port('postgres')}/sauda"

    @property
    def airflow_database(self) -> str:
        """The address of Airflow's own database, the password in it; empty where there is none."""
        if self.airflow_database_url:
            return self.airflow_database_url.get_secret_value()
        if self.postgres_url:
            return ""
        return f"postgresql://airflow:{self.secrets.airflow_database}@{LOOPBACK}:{self.port('postgres')}/airflow"

    @property
    def goszakup_secret(self) -> str:
        """The token of goszakup, from the environment or its file; empty where there is none. Raises OSError."""
        if self.goszakup_token:
            return self.goszakup_token.get_secret_value().strip()
        return self.goszakup_token_file.read_text().strip() if self.goszakup_token_file else ""

    def at_standin(self) -> Settings:
        """These settings, with the stand-in of this stack in the place of goszakup, and no reason to be slow."""
        return self.model_copy(
            update={
                "goszakup_url": f"http://{LOOPBACK}:{self.port('goszakup_standin')}",
                "goszakup_collection": "goszakup_standin",
                "goszakup_token": SecretStr(self.secrets.goszakup_standin),
                "goszakup_requests_per_second": 10_000.0,
                "goszakup_delay_seconds": 0.0,
                "rates_url": f"http://{LOOPBACK}:{self.port('goszakup_standin')}/rss/get_rates.cfm",
            }
        )

    def table_path(self, name: str, scheme: str = "s3a") -> str:
        """Where a Delta table lies: ``silver.purchase_lines`` → ``s3a://lake/warehouse/silver/purchase_lines``."""
        layer, _, table = name.partition(".")
        return f"{scheme}://{self.bucket}/{self.warehouse_prefix}/{layer}/{table}"

    def table_url(self, name: str) -> str:
        """The same place as an HTTP address, as ClickHouse reads it."""
        layer, _, table = name.partition(".")
        return f"{self.s3}/{self.bucket}/{self.warehouse_prefix}/{layer}/{table}/"


def wrong_settings(error: ValidationError) -> list[str]:
    """A sentence for each setting that is wrong; what was given for a secret is not in it."""
    return [_wrong(e["loc"], e["input"], e["msg"].removeprefix("Value error, ")) for e in error.errors()]


def _wrong(place: tuple[int | str, ...], given: object, what: str) -> str:
    if not place:
        return what
    known = Settings.model_fields.get(str(place[0]))
    is_secret = known is not None and "SecretStr" in str(known.annotation)
    return f"SAUDA_{str(place[0]).upper()}{'' if is_secret else f'={given}'}: {what}"


DEFAULT_PORTS = {
    "kafka": 9092,
    "kafka_controller": 9093,
    "minio": 9000,
    "minio_console": 9001,
    "clickhouse": 8123,
    "clickhouse_tcp": 9010,
    "spark_ui": 4040,
    "job_ui": 4050,
    "history": 8080,
    "metrics": 9108,
    "supervisor": 9099,
    "goszakup_standin": 9120,
    "api": 8000,
    "postgres": 5432,
    "airflow": 8081,
}


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, which makes files for its owner only from now on."""
    os.umask(PRIVATE)
    return Settings()
