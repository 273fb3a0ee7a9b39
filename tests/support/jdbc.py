"""ClickHouse's JDBC driver, fetched by Maven once for each version and kept with the other jars."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from conf import REPOSITORY, Settings
from infra.local.processes import children
from infra.local.processes.command_lock import held
from infra.local.tools import jars, java

FOLDER = REPOSITORY / "tests" / "services" / "flows" / "common" / "jdbc"


def driver(settings: Settings, version: str) -> Path:
    """The folder of the driver's jars."""
    target = settings.jars / f"jdbc-{version}"
    with held(settings.tools / "jars-jdbc.lock", "the JDBC drivers", wait=True):
        if not target.exists():
            maven = jars.ensure_maven(settings, print)
            fresh = target.with_name(f".{target.name}.new")
            shutil.rmtree(fresh, ignore_errors=True)
            env = dict(os.environ) | {"JAVA_HOME": str(java.ensure(settings, print))}
            goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={fresh}"]
            command: list[str | Path] = [maven, "-q", "-B", "-f", FOLDER / "pom.xml", *goal, f"-Ddriver={version}"]
            children.run(command, f"Fetching the JDBC driver {version}", env=env)
            fresh.rename(target)
    return target


def query_facts(settings: Settings, version: str, url: str, password: str) -> dict[str, str]:
    """What `Reader.java` prints, by the name of each question."""
    home = java.ensure(settings, print)
    done = subprocess.run(
        [
            str(home / "bin" / "java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
            "-cp", f"{driver(settings, version)}/*", str(FOLDER / "Reader.java"), url,
        ],
        env=dict(os.environ) | {"READER_PASSWORD": password}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
