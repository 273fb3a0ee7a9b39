"""The Spark History Server: pages of finished jobs."""

from __future__ import annotations

from conf import LOOPBACK, Settings
from infra.local.parts import Machine, Part, Port, get
from infra.local.tools.jars import pyspark_jars


def command(machine: Machine) -> list[str]:
    return [
        *(machine.java, "-Xmx256m", "-XX:+UseSerialGC", "-XX:-UsePerfData"),
        *(f"-D{key}={value}" for key, value in _options(machine.settings).items()),
        *("-cp", f"{pyspark_jars()}/*"),
        "org.apache.spark.deploy.history.HistoryServer",
    ]


def _options(settings: Settings) -> dict[str, str]:
    history = "spark.history."
    return {
        history + "ui.port": str(settings.port("history")),
        # No URI: it would look for a folder with %20 in its name.
        history + "fs.logDirectory": str(settings.data / "spark-events"),
        history + "fs.update.interval": "5s",
        history + "fs.cleaner.enabled": "true",
        history + "fs.cleaner.maxAge": "21d",
        history + "retainedApplications": "5",
    }


def probe(settings: Settings) -> str | None:
    status, _ = get(f"http://{LOOPBACK}:{settings.port('history')}/api/v1/version")
    return None if status == 200 else f"it answers {status}"


PARTS = (
    Part(
        "history",
        "Spark History Server",
        order=50,
        command=command,
        probe=probe,
        ports=(Port("history", "the Spark History Server"),),
        # Without it the History Server listens on every address.
        env=lambda _: {"SPARK_LOCAL_IP": LOOPBACK},
        after=("Jars of Spark",),
        patience_seconds=120,
    ),
)
