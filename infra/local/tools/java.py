"""Java: find one that Spark can run on, or install it, or say how."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from conf import Settings
from infra.local.errors import Refused
from infra.local.tools.apt import apt_install, is_debian

OLDEST = 17
MODULE = "jdk.incubator.vector"
"""Spark 4.2 starts only with this module; stripped-down Java builds leave it out."""
PACKAGES = ("openjdk-17-jre-headless", "openjdk-21-jre-headless", "openjdk-25-jre-headless", "default-jre-headless")


@dataclass(frozen=True)
class Java:
    home: Path
    version: int
    modules: frozenset[str]

    @property
    def fault(self) -> str | None:
        """Why Spark cannot run on it, or None."""
        if self.version < OLDEST:
            return f"is Java {self.version}, and Spark needs {OLDEST} or newer"
        if MODULE not in self.modules:
            return f"lacks the module {MODULE}, which Spark needs"
        return None


def parse_modules(listing: str) -> tuple[int, frozenset[str]]:
    """Version and module names from `java --list-modules`: ``java.base@17.0.15`` → 17."""
    names = dict(line.strip().partition("@")[::2] for line in listing.splitlines() if "@" in line)
    first = re.match(r"\d+", names.get("java.base", ""))
    return (int(first[0]) if first else 0), frozenset(names)


def inspect(home: Path) -> Java | None:
    """The Java in a folder; None when there is none that runs. Java 8 knows no modules and counts as version 0."""
    try:
        done = subprocess.run(
            [home / "bin" / "java", "--list-modules"], capture_output=True, text=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version, modules = parse_modules(done.stdout)
    return Java(home, version, modules)


def candidates(settings: Settings) -> Iterator[Path]:
    """Places to look, those the user chose first."""
    if settings.java_home:
        yield settings.java_home
        return
    if chosen := os.environ.get("JAVA_HOME"):
        yield Path(chosen)
    if program := shutil.which("java"):
        yield Path(program).resolve().parent.parent
    installed = Path("/usr/lib/jvm")
    if installed.is_dir():
        yield from sorted(folder for folder in installed.iterdir() if not folder.is_symlink())


def find(settings: Settings, faults: list[str] | None = None) -> Java | None:
    """The first Java that will do; what is wrong with the others is added to `faults`."""
    seen = set()
    for home in candidates(settings):
        if home in seen:
            continue
        seen.add(home)
        java = inspect(home)
        fault = java.fault if java else "has no bin/java that runs"
        if java and not fault:
            return java
        if faults is not None:
            faults.append(f"{home} {fault}")
    return None


def remembered(settings: Settings) -> Path | None:
    """The Java that the last start chose, when it is still there and the user's choice has not changed."""
    if settings.java_home:
        return settings.java_home
    file = settings.tools / "java-home"
    home = Path(file.read_text().strip()) if file.exists() else None
    if home and (home / "bin" / "java").exists() and os.environ.get("JAVA_HOME") in (None, str(home)):
        return home
    return None


def ensure(settings: Settings, say: Callable[[str], None]) -> Path:
    """The home of a Java that will do, installed by apt when this machine and this user allow it. Else `Refused`."""
    if not settings.java_home and (known := remembered(settings)):
        return known
    faults: list[str] = []
    java = find(settings, faults)
    if java is None and settings.java_home is None and is_debian() and os.geteuid() == 0:
        say("installing by apt-get")
        apt_install(PACKAGES, f"Java {OLDEST} or newer")
        java = find(settings)
    if java is None:
        raise Refused(_advice(settings, faults))
    if not settings.java_home:
        settings.tools.mkdir(parents=True, exist_ok=True)
        (settings.tools / "java-home").write_text(f"{java.home}\n")
    return java.home


def _advice(settings: Settings, faults: list[str]) -> str:
    seen = "".join(f"\n  {fault}" for fault in faults)
    if settings.java_home:
        return f"SAUDA_JAVA_HOME will not do:{seen}\nPoint it at a Java {OLDEST} or newer, or unset it."
    if is_debian():
        remedy = f"sudo apt-get update && sudo apt-get install -y {PACKAGES[0]}"
    elif shutil.which("dnf"):
        remedy = "sudo dnf install -y java-21-openjdk-headless java-21-openjdk-jmods"
    else:
        remedy = f"install OpenJDK {OLDEST} or newer and set JAVA_HOME to its folder"
    problem = f"None of the Java found here will do:{seen}" if faults else "There is no Java on this machine."
    return f"{problem}\nSpark and Kafka need Java {OLDEST} or newer with the module {MODULE}. Run:\n  {remedy}"
