"""The parts of a stack, found by looking: each module of this package declares one or several.

A module has its `PARTS`, or a function `parts(settings)` where the settings decide how many there are.
"""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from conf import Settings
from conf.discovery import modules_below

Probe = Callable[[Settings], str | None]
"""None when the part answers as it should, else a sentence. It may raise whatever its client raises."""


@dataclass(frozen=True)
class Port:
    """A port of a part. `name` is the setting's (``kafka`` → SAUDA_KAFKA_PORT); `offset` is added to it."""

    name: str
    title: str
    offset: int = 0

    def number(self, settings: Settings) -> int:
        return settings.port(self.name) + self.offset


@dataclass(frozen=True)
class Process:
    """What the supervisor runs. `env` may hold secrets, `command` never: every user of the machine sees it in `ps`."""

    name: str
    command: list[str]
    env: dict[str, str] = field(default_factory=dict, repr=False)
    stop_seconds: int = 5
    stop_signal: str = "TERM"
    starts_itself: bool = False


@dataclass(frozen=True)
class Machine:
    """What a part finds on this machine when its process is described."""

    settings: Settings
    java_home: Path = field(default_factory=Path)
    minio: Path = field(default_factory=Path)

    @property
    def java(self) -> str:
        return str(self.java_home / "bin" / "java")


def _nothing(_: Settings) -> dict[str, str]:
    return {}


def _everywhere(_: Settings) -> bool:
    return True


def _no_preparation(_: Machine) -> str:
    return ""


@dataclass(frozen=True)
class Part:
    """One supervised process, and what a start, `status` and `doctor` need to know of it."""

    name: str
    title: str
    order: int
    """Its place in lists; parts with lower numbers come first."""
    command: Callable[[Machine], list[str]]
    probe: Probe
    ports: tuple[Port, ...] = ()
    env: Callable[[Settings], dict[str, str]] = _nothing
    after: tuple[str, ...] = ()
    """Titles of steps that must be done before it starts, besides the supervisor."""
    prepare: Callable[[Machine], str] = _no_preparation
    """Called right before each start; returns a remark for its step, or an empty text."""
    is_here: Callable[[Settings], bool] = _everywhere
    """Whether this machine runs it."""
    holds_data: bool = False
    """The parts that hold data are started first; the others work on these."""
    patience_seconds: int = 60
    """How long it may do nothing on its way to an answer."""
    stop_seconds: int = 5
    stop_signal: str = "TERM"
    starts_itself: bool = False
    """With the supervisor, and not when a command starts it."""

    def process(self, machine: Machine) -> Process:
        return Process(
            self.name,
            self.command(machine),
            self.env(machine.settings),
            self.stop_seconds,
            self.stop_signal,
            self.starts_itself,
        )


@lru_cache(maxsize=1)
def _modules() -> tuple[ModuleType, ...]:
    import infra.local.parts

    return tuple(modules_below(infra.local.parts))


def declared(settings: Settings) -> dict[str, Part]:
    """Every part by its name, in their order. Raises ValueError for two parts of one name, or a module without any."""
    by_name: dict[str, Part] = {}
    for module in _modules():
        given = module.parts(settings) if hasattr(module, "parts") else getattr(module, "PARTS", ())
        if not given:
            raise ValueError(f"{module.__name__} declares no part")
        for part in given:
            if part.name in by_name:
                raise ValueError(f"two parts are called {part.name}")
            by_name[part.name] = part
    return {part.name: part for part in sorted(by_name.values(), key=lambda part: (part.order, part.name))}


def here(settings: Settings) -> dict[str, Part]:
    """The parts that this machine runs."""
    return {name: part for name, part in declared(settings).items() if part.is_here(settings)}


def processes(machine: Machine) -> dict[str, Process]:
    """What the supervisor runs on this machine, by the parts' names."""
    return {name: part.process(machine) for name, part in here(machine.settings).items()}


def core(settings: Settings) -> tuple[str, ...]:
    """The parts that hold data and that every stack has; the others work on them."""
    return tuple(name for name, part in here(settings).items() if part.holds_data)


def title(settings: Settings, name: str) -> str:
    return declared(settings)[name].title


def all_ports(settings: Settings) -> tuple[Port, ...]:
    """The ports of all parts, and those that no part keeps open."""
    return (
        *(port for part in declared(settings).values() for port in part.ports),
        Port("job_ui", "the jobs' Spark UI"),
        Port("supervisor", "the supervisor"),
    )


def trouble(settings: Settings, name: str) -> str | None:
    """None when the part answers as it should, else a sentence."""
    try:
        return declared(settings)[name].probe(settings)
    except Exception as error:
        # A probe talks to a part that may be in any state; whatever it raises means "no answer".
        return _silence(error)


def _silence(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else None
    cause = reason if isinstance(reason, Exception) else error
    match cause:
        case ConnectionRefusedError():
            return "nothing listens on its port"
        case TimeoutError():
            return "it takes too long to answer"
    return f"it does not answer ({type(cause).__name__})"


def get(url: str, timeout: float = 2.0) -> tuple[int, bytes]:
    """Status and body of an answer over HTTP, for probes."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def configured_by(folder: Path) -> dict[str, str]:
    """A variable that changes with the part's own files, so that the supervisor restarts it when they change."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*.*") if path.is_file()):
        digest.update(file.read_bytes())
    return {"SAUDA_FILES": digest.hexdigest()[:16]}
