"""Spark sessions: one place for what the lake needs of Spark, Delta and S3A."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from conf.settings import LOOPBACK, PRIVATE, Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


# Columns that hold something else in nearly every row: a dictionary of them is tried, and thrown away, at a cost.
UNIQUE = ("event_id", "event_hash", "kafka_offset", "arrival", "value")

TIME_ZONE = "spark.sauda.zone."
"""Session setting, by domain: the zone of times that name none."""
GIVES_WAY = 10
"""The niceness of Spark's processes on one machine: users wait for API and ClickHouse, nobody waits for a batch."""
PERSON_SECRET = "spark.sauda.person.secret"
"""Session setting: what is mixed into the hashes of persons' codes."""
BASE_CURRENCY, RATE_DAYS = "spark.sauda.base.currency", "spark.sauda.rate.days"
"""Session settings: the currency of totals over several currencies, and for how many days a rate holds."""
BASE_CURRENCY_DEFAULT, RATE_DAYS_DEFAULT = "KZT", "7"
_SECRET_MARK = "personsecret"
_SECRET_NAMES = "(?i)secret|password|token|access[.]?key|jaas"
QUICK = ("-XX:TieredStopAtLevel=1",)
"""For a short run over little data. Most of a start's processor time goes into profiling and compiling what then never
runs often; loops over millions of rows, though, take three times as long."""

CHECKPOINTS_BY_FILE_SYSTEM = (
    "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
)
JAVA_OPTIONS = (
    # Errors only, from the first line on: a session can set its level when it stands, not while it starts.
    f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties').as_uri()}",
    # The lanes and the nightly are throughput work with small live sets.
    "-XX:+UseParallelGC",
    "-XX:-UsePerfData",
    # Spark matches a failed batch's message with a regular expression that recurses once a character.
    "-Xss8m",
    # Spark's planning is much code that runs seldom: the best compiler is kept for loops over rows, which it takes by
    # their turns and not by their calls.
    "-XX:Tier4InvocationThreshold=20000",
    "-XX:Tier4MinInvocationThreshold=4000",
    "-XX:Tier4CompileThreshold=40000",
    # Else the code cache's sweeper throws away what the next batch needs again.
    "-XX:-UseCodeCacheFlushing",
    "-XX:ReservedCodeCacheSize=320m",
)


def classpath(settings: Settings) -> tuple[Path, ...]:
    """Our jars, before those of pyspark. Java's archive of classes is valid only for this order."""
    return tuple(sorted((settings.jars / "spark").glob("*.jar")))


def archive(settings: Settings) -> tuple[str, ...]:
    """Java's archive of classes, see `infra.local.tools.archive`. One that does not fit is not used."""
    archives = sorted((settings.jars / "spark").glob("*.jsa"))
    return (f"-XX:SharedArchiveFile={archives[0]}", "-Xlog:disable", "-Xlog:all=error:stderr") if archives else ()


def java_options(words: Sequence[str]) -> str:
    """Options of Java as the one string that Spark takes, and splits at blanks outside of quotes."""
    return " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)


def spark_options(settings: Settings, ui_port: int) -> dict[str, str]:
    """The Spark settings of the profile. The secret key is handed to Hadoop apart from these, see `spark_session`."""
    s3a = "spark.hadoop.fs.s3a."
    delta = "spark.databricks.delta."
    options = {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        # INT96, the default, reads slowly and hides the column's statistics from Delta.
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.parquet.compression.codec": "zstd",
        **{f"spark.hadoop.parquet.enable.dictionary#{column}": "false" for column in UNIQUE},
        # A stream's plans make more classes than the default of 100: they would be compiled anew with every batch.
        "spark.sql.codegen.cache.maxEntries": "2000",
        "spark.ui.port": str(ui_port),
        # The UI has no login, so it shows and changes nothing.
        "spark.ui.killEnabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.redaction.regex": _SECRET_NAMES,
        "spark.sql.redaction.options.regex": f"{_SECRET_NAMES}|url",
        # Plans show texts of their expressions.
        "spark.redaction.string.regex": f"{_SECRET_MARK}\\w+|(?i)password *= *\\S+",
        s3a + "endpoint": settings.s3,
        s3a + "endpoint.region": "us-east-1",
        s3a
        + "aws.credentials.provider": "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider",
        s3a + "path.style.access": "true",
        s3a + "connection.ssl.enabled": str(settings.s3.startswith("https")).lower(),
        # The default stream caches the head of a file and serves it stale after an overwrite.
        s3a + "input.stream.type": "classic",
        s3a + "fast.upload.buffer": "bytebuffer",
        s3a + "attempts.maximum": "20",
        s3a + "retry.limit": "10",
        delta + "snapshotPartitions": "1",
        delta + "properties.defaults.enableDeletionVectors": "false",
        delta + "properties.defaults.checkpointInterval": "20",
        # Files of 64 MB and more are left alone, so that compaction costs what came in since the last, not the table.
        delta + "optimize.minFileSize": str(64 << 20),
        delta + "optimize.maxFileSize": str(256 << 20),
        "spark.sql.streaming.metricsEnabled": "true",
        # Ten milliseconds, the default, keep a fifth of a core busy with asking an idle topic for its end.
        "spark.sql.streaming.pollingDelay": "100ms",
    }
    if settings.profile == "local":
        events = settings.data / "spark-events"
        events.mkdir(parents=True, exist_ok=True)
        scratch = _scratch(settings)
        scratch.mkdir(parents=True, exist_ok=True)
        options |= {
            # Not `spark.jars`, which copies them at each start and loads them past Java's archive of classes.
            "spark.driver.extraClassPath": ":".join(map(str, classpath(settings))),
            # Folders, too, get from it what the process's umask takes from files.
            "spark.hadoop.fs.permissions.umask-mode": f"{PRIVATE:03o}",
            # Hadoop's own starts a `chmod` for every file that it makes: 80 ms a batch, for offsets and commit.
            "spark.hadoop.fs.file.impl": "com.globalmentor.apache.hadoop.fs.BareLocalFileSystem",
            "spark.sql.streaming.checkpointFileManagerClass": CHECKPOINTS_BY_FILE_SYSTEM,
            # Else any user could send objects to the driver's port and read its blocks. Spark creates a secret.
            "spark.authenticate": "true",
            "spark.driver.bindAddress": LOOPBACK,
            "spark.driver.host": LOOPBACK,
            "spark.sql.shuffle.partitions": "4",
            # With four partitions there is little to adapt, and every stage of a plan would be a job of its own.
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.codegen.aggregate.fastHashMap.capacityBit": "20",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": events.as_uri(),
            "spark.eventLog.rolling.enabled": "true",
            "spark.eventLog.rolling.maxFileSize": "16m",
            "spark.local.dir": str(scratch),
            "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        }
    return options


def _scratch(settings: Settings) -> Path:
    """Spark's scratch files. Their blocks hold the key of S3 too."""
    return settings.data / "spark-scratch"


def give_way() -> None:
    """Lower this process's priority, which Java's threads inherit.

    One that is lower already stays as it is: only root may raise it.
    """
    if os.getpriority(os.PRIO_PROCESS, 0) < GIVES_WAY:
        os.setpriority(os.PRIO_PROCESS, 0, GIVES_WAY)


def spark_session(
    settings: Settings, name: str, *, memory: str, ui_port: int, streaming: bool = False, quick: bool = False,
    record: Path | None = None,
) -> SparkSession:  # fmt: skip
    """Start Spark in this process. The Spark UI listens on `ui_port`, loopback only.

    `streaming` gives local Spark twice its task slots and fair pools: the live lane need not wait for the lake's tasks.
    `quick` is for a run over little data, unless the settings say otherwise. `record` is the file into which Java
    writes, at its end, the archive of the classes that it has loaded.
    """
    if settings.java_home:
        os.environ["JAVA_HOME"] = str(settings.java_home)
    os.environ["SPARK_LOCAL_IP"] = LOOPBACK
    os.environ["PYSPARK_PYTHON"] = sys.executable
    # On the environment, not among the options: those show in the UI and in `ps`.
    os.environ["AWS_ACCESS_KEY_ID"] = settings.s3_key
    os.environ["AWS_SECRET_ACCESS_KEY"] = settings.s3_secret
    if settings.profile == "local":
        give_way()
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName(name).master(settings.spark_master)
    for key, value in spark_options(settings, ui_port).items():
        builder = builder.config(key, value)
    if streaming:
        pools = Path(__file__).with_name("spark-pools.xml")
        builder = builder.config("spark.scheduler.mode", "FAIR").config("spark.scheduler.allocation.file", str(pools))
        if settings.profile == "local":
            builder = builder.master(settings.stream_master)
    builder = builder.config("spark.driver.memory", memory)
    is_quick = settings.java_compiler == "quick" or (quick and settings.java_compiler == "auto")
    classes = (f"-XX:ArchiveClassesAtExit={record}",) if record else archive(settings)
    java = (*JAVA_OPTIONS, *(QUICK if is_quick else ()), *classes)
    if settings.profile == "local":
        # What Spark and its libraries unpack belongs to the stack, as their scratch files do.
        java = (*java, f"-Djava.io.tmpdir={_scratch(settings)}")
    builder = builder.config("spark.driver.extraJavaOptions", java_options(java))
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    for domain, zone in settings.time_zones().items():
        session.conf.set(TIME_ZONE + domain, zone)
    session.conf.set(BASE_CURRENCY, settings.base_currency)
    session.conf.set(RATE_DAYS, str(settings.rate_days))
    session.conf.set(PERSON_SECRET, _SECRET_MARK + settings.secrets.person)
    return session
