"""Jars of Spark, Kafka and PostgreSQL, by Maven from their pom.xml files, once for each state of these files."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from conf import REPOSITORY, Settings
from infra.local.errors import Failed
from infra.local.processes import children
from infra.local.processes.command_lock import held
from infra.local.processes.permissions import share

MAVEN = "3.9.11"
MAVEN_SHA512 = (
    "bcfe4fe305c962ace56ac7b5fc7a08b87d5abd8b7e89027ab251069faebee516"
    "b0ded8961445d6d91ec1985dfe30f8153268843c89aa392733d1a3ec956c9978"
)
POMS = {
    "spark": REPOSITORY / "infra" / "jars" / "pom.xml",
    "kafka": REPOSITORY / "infra" / "kafka" / "pom.xml",
    "postgres": REPOSITORY / "infra" / "postgres" / "pom.xml",
}
_ARTIFACT = re.compile(r"(?P<name>.+?)-\d[\w.\-]*\.jar$")


def pyspark_jars() -> Path:
    """The folder of the jars that pyspark ships."""
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise Failed("pyspark is not in the virtual environment: remove .sauda/tools/venv and start again")
    return Path(spec.origin).parent / "jars"


def artifact(jar: str) -> str:
    """``delta-storage-4.4.0.jar`` → ``delta-storage``: two versions of it must not meet on one classpath."""
    match = _ARTIFACT.match(jar)
    return match["name"] if match else jar


def is_current(settings: Settings, name: str) -> bool:
    """Whether the jars of the present pom.xml are there."""
    stamp = settings.jars / name / ".stamp"
    return stamp.exists() and stamp.read_text() == _stamp(name)


def _stamp(name: str) -> str:
    return hashlib.sha256(POMS[name].read_bytes()).hexdigest() + importlib.metadata.version("pyspark")


def ensure(settings: Settings, name: str, maven: Path, java_home: Path, say: Callable[[str], None]) -> str:
    """Fetch the jars of a name in `POMS` unless they are there; the folder appears whole or not at all."""
    if not is_current(settings, name):
        # The tools are shared: another stack may be fetching the same.
        with held(settings.tools / f"jars-{name}.lock", f"the jars of {name}", wait=True):
            if not is_current(settings, name):
                _fetch(settings, name, maven, java_home, say)
    files = list((settings.jars / name).glob("*.jar"))
    return f"{len(files)} jars, {sum(jar.stat().st_size for jar in files) / 1e6:.0f} MB"


def _fetch(settings: Settings, name: str, maven: Path, java_home: Path, say: Callable[[str], None]) -> None:
    target = settings.jars / name
    fresh = settings.jars / f".{name}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    say("by Maven")
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={fresh}"]
    env = dict(os.environ) | {"JAVA_HOME": str(java_home)}
    log = settings.home / "cache" / f"maven-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    children.run([maven, "-q", "-B", "-f", POMS[name], *goal], f"Fetching the jars of {name}", env=env, log=log)
    if name == "spark":
        shipped = {artifact(jar.name) for jar in pyspark_jars().glob("*.jar")}
        for jar in fresh.glob("*.jar"):
            if artifact(jar.name) in shipped:
                jar.unlink()
    (fresh / ".stamp").write_text(_stamp(name))
    share(settings.jars)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def ensure_maven(settings: Settings, say: Callable[[str], None]) -> Path:
    """Maven from PATH, else from Maven Central into the tools folder."""
    if program := shutil.which("mvn"):
        return Path(program)
    folder = settings.tools / "maven" / f"apache-maven-{MAVEN}"
    if not (folder / "bin" / "mvn").exists():
        with held(settings.tools / "maven.lock", "Maven", wait=True):
            if not (folder / "bin" / "mvn").exists():
                _unpack_maven(settings, folder, say)
    return folder / "bin" / "mvn"


def _unpack_maven(settings: Settings, folder: Path, say: Callable[[str], None]) -> None:
    say("downloading Maven")
    archive = _download(f"org/apache/maven/apache-maven/{MAVEN}/apache-maven-{MAVEN}-bin.tar.gz", settings)
    fresh = settings.tools / "maven" / ".new"
    shutil.rmtree(fresh, ignore_errors=True)
    with tarfile.open(archive) as tar:
        # Python before 3.11.4 has no filters.
        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        tar.extractall(fresh)
    share(fresh)
    shutil.rmtree(folder, ignore_errors=True)
    (fresh / folder.name).rename(folder)
    shutil.rmtree(fresh)
    archive.unlink()


def _download(path: str, settings: Settings) -> Path:
    url = f"{settings.maven_central}/{path}"
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:
            body = answer.read()
    except urllib.error.URLError as error:
        raise Failed(
            f"Maven is not on PATH and cannot be fetched: {url}: {error.reason}\n"
            "Install it (sudo apt-get install -y maven), or set SAUDA_MAVEN_CENTRAL to a mirror."
        ) from None
    if hashlib.sha512(body).hexdigest() != MAVEN_SHA512:
        raise Failed(f"{url} is not the file it should be: its SHA-512 differs. Install Maven by hand.")
    target = settings.tools / "maven" / "maven.tar.gz"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(body)
    return target
