"""The registry: every contract below `schemas/`, found by importing all its packages."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType

from schemas.contract.declare import Contract
from schemas.contract.view import View


@lru_cache(maxsize=1)
def contracts() -> tuple[Contract, ...]:
    """Every table, entity, event and feed in the packages below `schemas/`, at any depth; sorted by name.

    Raises ValueError where a contract would be lost: two of one name, a folder that is no package, a table that
    nothing fills.
    """
    import schemas

    modules = _modules(schemas)
    declared = _collect(importlib.import_module(name) for name in modules)
    wrong = [f"{name}: {sentence}" for name, c in declared.items() if (sentence := _unfilled(c, declared.values()))]
    if wrong:
        raise ValueError("; ".join(wrong))
    return tuple(declared[name] for name in sorted(declared))


def _modules(package: ModuleType) -> list[str]:
    """The names of all modules below a package that may declare contracts."""
    prefix = f"{package.__name__}."
    names = {module.name for module in pkgutil.walk_packages(package.__path__, prefix, onerror=_not_importable)}
    for root in map(Path, package.__path__):
        for file in root.rglob("*.py"):
            parts = file.relative_to(root).with_suffix("").parts
            name = prefix + ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if parts != ("__init__",) and name not in names:
                raise ValueError(f"{file} is not imported: its folder needs an __init__.py")
    return sorted(name for name in names if not name.startswith((f"{prefix}contract", f"{prefix}derive")))


def _not_importable(package: str) -> None:
    raise ImportError(f"{package} cannot be imported, so its contracts would be lost")


def _collect(modules: Iterable[ModuleType]) -> dict[str, Contract]:
    declared: dict[str, Contract] = {}
    for module in modules:
        for value in vars(module).values():
            candidate = vars(value).get("__contract__") if isinstance(value, type) else None
            if isinstance(candidate, Contract) and candidate.kind != "record":
                other = declared.setdefault(candidate.name, candidate)
                if other.python is not candidate.python:
                    raise ValueError(f"{candidate.name} is declared twice: {other.python} and {candidate.python}")
    return declared


def _unfilled(table: Contract, declared: Collection[Contract]) -> str:
    """Why nothing would ever write a row of the table; empty where something does."""
    if table.kind != "table" or table.layer not in ("bronze", "quarantine", "silver", "gold"):
        return ""
    if not table.refresh:
        return "it does not say when it is refreshed (refresh=…)"
    if not table.built_from:
        return "it does not say what it is built from (built_from=…)"
    if table.layer != "silver" or table.refresh != "stream":
        return ""
    topics = {source.topic for bronze in table.built_from for source in bronze.built_from if source.topic}
    sources = [c for c in declared if c.topic in topics and c.kind in ("event", "feed")]
    events = [c for c in sources if c.kind == "event"]
    if not sources:
        return "no event and no feed reaches it: built_from must be the bronze table of a topic"
    if not events:
        return "" if table.fed_by else "its topic is a feed, and fed_by names no event type that fills it"
    unknown = sorted(set(table.fed_by) - {e.event_type for e in events})
    if unknown:
        return f"fed_by names {', '.join(unknown)}; the events are {', '.join(e.event_type for e in events)}"
    lists = {str(c) for e in events if e.event_type in (table.fed_by or (e.event_type,))
             for c in e.columns if c.items is not None}  # fmt: skip
    if table.rows_at and table.rows_at not in lists:
        return f"rows_at names {table.rows_at!r}; the lists of its events are {', '.join(sorted(lists)) or 'none'}"
    return ""


def declared_views() -> list[View]:
    """The views that domains declare: the list ``VIEWS`` of each module ``views``. Raises ValueError without one."""
    import schemas

    views: list[View] = []
    for name in _modules(schemas):
        if name.endswith(".views"):
            listed = getattr(importlib.import_module(name), "VIEWS", None)
            if listed is None:
                raise ValueError(f"{name} must list its views in VIEWS")
            views += [replace(view, source=f"{name.replace('.', '/')}.py") for view in listed]
    return views


def tables(layer: str = "", domain: str = "") -> tuple[Contract, ...]:
    """The tables, of one layer or domain where these are given."""
    return tuple(
        c for c in contracts() if c.kind == "table" and layer in ("", c.layer) and domain in ("", c.domain)
    )  # fmt: skip


def lists_corrections(table: Contract) -> bool:
    """Whether the table says of another's events which no longer hold, and has no events of its own."""
    return any(other.superseded_by is not None and other.superseded_by.name == table.name for other in tables())


def entities(domain: str = "") -> tuple[Contract, ...]:
    """What PostgreSQL keeps."""
    return tuple(c for c in contracts() if c.kind == "entity" and domain in ("", c.domain))


def events(topic: str = "") -> tuple[Contract, ...]:
    return tuple(c for c in contracts() if c.kind == "event" and topic in ("", c.topic))


@dataclass(frozen=True)
class Topic:
    """A Kafka topic, as the broker is to be told of it."""

    name: str
    partitions: int
    config: Mapping[str, str]


def topics() -> tuple[Topic, ...]:
    """One topic a domain. LogAppendTime: the broker's clock orders the events, a producer's wrong clock does not."""
    by_name: dict[str, Topic] = {}
    for declared in (c for c in contracts() if c.topic):
        by_name[declared.topic] = Topic(
            declared.topic,
            max(declared.partitions, by_name[declared.topic].partitions if declared.topic in by_name else 0),
            {
                "message.timestamp.type": "LogAppendTime",
                "max.message.bytes": "16777216",
                "retention.ms": str(7 * 86_400_000),
            },
        )
    return tuple(by_name[name] for name in sorted(by_name))


def find(name: str) -> Contract:
    """A contract by name. Raises KeyError with the names that exist."""
    for known in contracts():
        if known.name == name:
            return known
    raise KeyError(f"no contract is called {name!r}; there are {', '.join(c.name for c in contracts())}")


def order_by_dependency(wanted: Iterable[Contract]) -> list[Contract]:
    """Sort tables so that each comes after those it is built from. Raises CycleError for a circle."""
    by_name = {c.name: c for c in wanted}
    graph = {c.name: [source.name for source in c.built_from if source.name in by_name] for c in by_name.values()}
    return [by_name[name] for name in TopologicalSorter(graph).static_order()]
