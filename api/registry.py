"""The modules, routes and domains of the API, found by walking its packages: a new domain adds files and edits none."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import ModuleType

from fastapi import APIRouter
from fastapi.routing import APIRoute

from api.backends.backends import Backends
from api.domain import Domain
from api.http import access
from api.live.document import MEMBERS
from conf.discovery import names_below

TAGS = {"analytics": "What the nightly jobs made of all events.", "service": "Health, version, metrics."}
READ = {"read": "read everything; personal data is masked"}
OTHER_SCOPES = {
    "personal": "see personal data unmasked, and filter by it",
    "admin": "everything",
}


def module_names() -> list[str]:
    """All modules of the API. Raises ImportError for a file in a folder that is no package."""
    return names_below(importlib.import_module("api"), skip=("__main__",))


@lru_cache(maxsize=1)
def domains() -> tuple[Domain, ...]:
    """The `DOMAIN` of each module ``api.<domain>.domain``, by name. Raises ValueError where two declare the same."""
    names = [name for name in module_names() if name.count(".") == 2 and name.endswith(".domain")]
    return checked({name: importlib.import_module(name) for name in names})


def checked(modules: Mapping[str, ModuleType]) -> tuple[Domain, ...]:
    """The domains of modules by their names. Raises ValueError where something is declared twice, or nothing is."""
    declared = []
    for name, module in modules.items():
        domain = getattr(module, "DOMAIN", None)
        if not isinstance(domain, Domain) or domain.name != name.split(".")[-2]:
            raise ValueError(f"{name} must declare DOMAIN, a Domain with its folder's name")
        declared.append(domain)
    _once("scope", [*READ, *OTHER_SCOPES], [(d.name, scope) for d in declared for scope in d.scopes])
    _once("tag", TAGS, [(d.name, tag) for d in declared for tag in d.tags])
    figures = [(d.name, each) for d in declared for each in d.figures]
    _once("source of figures", ("refused", "flow", "parts"), [(name, each.name) for name, each in figures])
    members = [(name, member) for name, each in figures for member in each.members(0.0, None)]
    _once("member of the page's document", MEMBERS, members)
    return tuple(declared)


def _once(kind: str, generic: Iterable[str], declared: Iterable[tuple[str, str]]) -> None:
    owners = dict.fromkeys(generic, "the API itself")
    for domain, word in declared:
        if word in owners:
            raise ValueError(f"the {kind} {word!r} of {domain} is declared by {owners[word]} already")
        owners[word] = domain


def open_domains(backends: Backends) -> None:
    """Make the services of all domains."""
    for domain in domains():
        domain.open(backends)


def scopes() -> dict[str, str]:
    """What a key can be allowed, with descriptions."""
    return READ | {scope: text for domain in domains() for scope, text in domain.scopes.items()} | OTHER_SCOPES


def tags() -> list[dict[str, str]]:
    """The groups of paths, as OpenAPI has them."""
    known = {tag: text for domain in domains() for tag, text in domain.tags.items()} | TAGS
    return [{"name": tag, "description": text} for tag, text in known.items()]


@lru_cache(maxsize=1)
def routers() -> tuple[APIRouter, ...]:
    """The `ROUTER` of every module of the API. Paths are tried in turn: those of modules with `IS_HOT` come first.

    Raises ValueError where a path would be lost: a router of another name, two routes of one path and method, a tag or
    scope that nobody declares.
    """
    mounts = mounted([importlib.import_module(name) for name in module_names()])
    unknown = access.NEEDED - scopes().keys()
    if unknown:
        raise ValueError(f"a path needs the scope {min(unknown)!r}, which no domain declares")
    return mounts


def mounted(modules: Iterable[ModuleType]) -> tuple[APIRouter, ...]:
    """The routers of modules, in the order in which they are tried. Raises ValueError where a path would be lost."""
    routers: list[APIRouter] = []
    known = {tag["name"] for tag in tags()}
    owners: dict[tuple[str, str], str] = {}
    for module in sorted(modules, key=lambda module: not getattr(module, "IS_HOT", False)):
        for name, value in vars(module).items():
            if isinstance(value, APIRouter) and name != "ROUTER":
                raise ValueError(f"{module.__name__}.{name} would not be mounted: call it ROUTER")
        router = getattr(module, "ROUTER", None)
        if router is None:
            continue
        routers.append(router)
        for route in router.routes:
            if not isinstance(route, APIRoute):
                raise ValueError(f"{module.__name__}: {route} is no route of the API")
            if lost := set(map(str, route.tags)) - known:
                raise ValueError(f"{module.__name__}: no domain declares the tag {min(lost)!r} of {route.path}")
            for method in sorted(route.methods or ()):
                key = (method, re.sub(r"\{\w+", "{", route.path))
                if key in owners:
                    raise ValueError(f"{method} {route.path} is declared by {owners[key]} and {module.__name__}")
                owners[key] = module.__name__
    return tuple(routers)
