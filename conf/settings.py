"""Every setting of Sauda, typed. The environment is read here and nowhere else.

What concerns one domain only stands in `conf/domains/<domain>.py`, in a class below `Settings`.

A setting is an environment variable with the prefix ``SAUDA_``: ``SAUDA_KAFKA_PORT=19092 ./start.sh``.
A *stack* is one set of running parts with its own ports and data folder: ``main`` is what ``./start.sh``
runs, ``test`` and ``bench`` stand beside it. The tools (virtual environment, jars, MinIO) are shared.
"""

from __future__ import annotations

import os
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from conf.kafka_login import KafkaLogin
from conf.secrets import Secrets, load_secrets

if TYPE_CHECKING:
    from conf.addresses import Address

REPOSITORY = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
KAFKA_USER = "sauda"
PRIVATE = 0o077
"""The umask of all that Sauda starts."""
PORT_OFFSETS = {"main": 0, "bench": 10_000, "test": 20_000}


def port(default: int) -> Any:
    """Declare a port, in a field ``<name>_port: int | None``; `Settings.port` knows it by that name."""
    return Field(default=None, json_schema_extra={"default_port": default})


class Settings(BaseSettings):
    """What can be set, with the defaults of one machine.

    An object of it has the settings of every domain too: `ProcurementSettings.of(settings)` names their types.
    """

    secret_names: ClassVar[tuple[str, ...]] = ()
    """Passwords that a domain has beside those in `conf.secrets`."""

    model_config = SettingsConfigDict(env_prefix="SAUDA_", extra="forbid", frozen=True, hide_input_in_errors=True)

    profile: Literal["local", "cluster"] = "local"
    stack: str = Field(default="main", pattern=r"^[a-z][a-z0-9]{0,15}$")
    home: Path = REPOSITORY / ".sauda"
    port_offset: int | None = Field(default=None, description="Added to each port that is not set itself.")

    kafka_port: int | None = port(9092)
    kafka_controller_port: int | None = port(9093)
    minio_port: int | None = port(9000)
    minio_console_port: int | None = port(9001)
    clickhouse_port: int | None = port(8123)
    clickhouse_tcp_port: int | None = port(9010)
    spark_ui_port: int | None = port(4040)
    job_ui_port: int | None = port(4050)
    history_port: int | None = port(8080)
    metrics_port: int | None = port(9108)
    postgres_port: int | None = port(5432)
    airflow_port: int | None = port(8081)
    supervisor_port: int | None = port(9099)
    api_port: int | None = port(8000)

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
    stage_days: int = Field(default=21, ge=1, description="How long loaded files stay in the stage area.")
    stream_memory: str = "1600m"
    job_memory: str = "1600m"
    java_home: Path | None = None
    java_compiler: Literal["auto", "quick", "full"] = Field(
        default="auto",
        description="How hard Java works on its code: `quick` for minutes of work, `full` for millions of rows; "
        "`auto` is full for the stream and goes by the rows for jobs.",
    )
    maven_central: str = "https://repo1.maven.org/maven2"

    stream_processes: str = Field(
        default="*",
        description="Which domains share a streaming process: a comma between domains, a semicolon between processes; "
        "`*` stands for all that are not named.",
    )
    live_trigger_seconds: float = 0.0
    lake_trigger_seconds: float = 15.0
    live_batch_events: int = 100_000
    live_backlog_events: int = Field(
        default=250_000,
        description="When more events wait, the live lane leaves them to the lake; 0 means never.",
    )
    lake_batch_events: int = 1_000_000
    dedup_days: int = Field(
        default=30, ge=1, description="A copy of an event is recognised within so many days of ingestion."
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
    shop_time_zone: str = Field(default="UTC", description="Zone of the times in the shop's files that name none.")
    base_currency: str = Field(
        default="KZT", pattern=r"^[A-Z]{3}$", description="In which money of several currencies is added up, ISO 4217."
    )
    rate_days: int = Field(
        default=7, ge=0, le=366, description="For how many days an exchange rate holds where there is no newer one."
    )
    disk_low_mb: int = Field(default=1024, ge=0, description="Less: nothing is taken; half of it: Kafka stops; 0: off.")
    disk_reserve_mb: int = Field(default=256, ge=0, description="Kept allocated, and freed for a clean stop.")

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
    api_stop_seconds: int = Field(default=20, ge=1, description="For requests under way when the API stops.")
    alert_webhook: SecretStr | None = Field(
        default=None,
        description="Where a failed run of Airflow is reported, as JSON with a field `text`, e.g. Slack's.",
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

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """An object of all domains' classes, whichever of them is named."""
        from conf.domain_settings import domain_settings, whole_class

        return super().__new__(whole_class() if cls in (Settings, *domain_settings()) else cls)  # type: ignore[return-value]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The same settings, by the name of a domain's class."""
        assert isinstance(settings, cls)
        return settings

    # A domain's class may override these.

    def standin_values(self) -> dict[str, Any]:
        """The settings by which stand-ins of this stack take the place of outside services."""
        return {}

    def domain_addresses(self) -> list[Address]:
        """Where what only this domain has is reached."""
        return []

    def time_zone(self) -> str:
        """The zone of times in the domain's records that name none."""
        return "UTC"

    # These combine what all domains declare.

    def at_standin(self) -> Self:
        """These settings, with stand-ins in the place of outside services, and no reason to be slow."""
        from conf.domain_settings import domain_settings

        values = [domain.standin_values(self) for domain in domain_settings()]
        return self.model_copy(update={name: value for given in values for name, value in given.items()})

    def time_zones(self) -> dict[str, str]:
        """By domain: the zone of times that name none."""
        from conf.domain_settings import domain_name, domain_settings

        return {domain_name(domain): domain.time_zone(self) for domain in domain_settings()}

    @field_validator("stream_processes")
    @classmethod
    def _groups(cls, text: str) -> str:
        names = [name.strip() for name in text.replace(";", ",").split(",")]
        if "" in names or len(names) != len(set(names)):
            raise ValueError("each domain once was expected, and `*` once for all others, like purchases;*")
        return text

    @property
    def stream_groups(self) -> tuple[tuple[str, ...], ...]:
        """The domains of each streaming process; `*` stands for all that are not named."""
        return tuple(tuple(map(str.strip, group.split(","))) for group in self.stream_processes.split(";"))

    def port(self, name: str) -> int:
        """The port of a part, e.g. ``port("kafka")``; raises KeyError for an unknown part."""
        from conf.domain_settings import default_ports

        default = default_ports()[name]
        chosen: int | None = getattr(self, f"{name}_port")
        if chosen is not None:
            return chosen
        offset = self.port_offset if self.port_offset is not None else PORT_OFFSETS.get(self.stack, 0)
        return default + offset

    def secret(self, name: str) -> str:
        """A password of this stack by its name; raises KeyError for an unknown one."""
        return self.secrets.named(name)

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
        """The site with the results of the gates."""
        return self.data / "data-docs"

    @property
    def checkpoints(self) -> str:
        return self.checkpoint_root or str(self.data / "checkpoints")

    @cached_property
    def secrets(self) -> Secrets:
        """The passwords of this stack, created at first use and saved with mode 600."""
        from conf.domain_settings import domain_settings

        return load_secrets(
            self.stack_home / "secrets.json", [name for domain in domain_settings() for name in domain.secret_names]
        )

    @property
    def kafka(self) -> str:
        return self.kafka_bootstrap or f"{LOOPBACK}:{self.port('kafka')}"

    @property
    def kafka_login(self) -> KafkaLogin:
        """How clients log in. The stack's own broker requires it."""
        if not self.kafka_bootstrap:
            return KafkaLogin("SASL_PLAINTEXT", "PLAIN", KAFKA_USER, self.secrets.kafka)
        protocol = self.kafka_security_protocol or ("SASL_SSL" if self.kafka_user else "PLAINTEXT")
        if not protocol.startswith("SASL_"):
            return KafkaLogin(protocol)
        password = self.kafka_password.get_secret_value() if self.kafka_password else ""
        return KafkaLogin(protocol, self.kafka_sasl_mechanism, self.kafka_user or "", password)

    @property
    def is_lake_new(self) -> bool:
        """Whether the lake is this stack's own MinIO and has never held a bucket."""
        folder = self.data / "minio"
        return not self.s3_endpoint and not (folder.is_dir() and any(f.name[0] != "." for f in folder.iterdir()))

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

    def table_path(self, name: str, scheme: str = "s3a") -> str:
        """Where a Delta table lies: ``silver.purchase_lines`` → ``s3a://lake/warehouse/silver/purchase_lines``."""
        layer, _, table = name.partition(".")
        return f"{scheme}://{self.bucket}/{self.warehouse_prefix}/{layer}/{table}"

    def table_url(self, name: str) -> str:
        """The same place as an HTTP address, as ClickHouse reads it."""
        layer, _, table = name.partition(".")
        return f"{self.s3}/{self.bucket}/{self.warehouse_prefix}/{layer}/{table}/"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, which makes files for its owner only from now on."""
    os.umask(PRIVATE)
    return Settings()
