"""Domains and their paths are found by looking, and none is lost without a word."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import APIRouter

import api as api_package
from api import registry
from api.domain import Domain, Figures
from api.http import access
from api.live.document import Reading, document
from api.live.routes import figures
from tests.api.asking import Client, client


def module(name: str, **members: Any) -> ModuleType:
    created = ModuleType(name)
    vars(created).update(members)
    return created


def router(path: str, method: str = "GET", tag: str = "service") -> APIRouter:
    async def answer() -> None: ...

    created = APIRouter(tags=[tag])
    created.add_api_route(path, answer, methods=[method])
    return created


async def nothing() -> None: ...


def test_every_domain_has_a_declaration() -> None:
    assert {"purchases", "shop"} <= {domain.name for domain in registry.domains()}


def test_every_path_of_every_router_is_mounted(api: Client) -> None:
    ours = {route.path for actual in registry.routers() for route in actual.routes}  # type: ignore[attr-defined]
    listed = set(api.get("/openapi.json", None).json()["paths"])

    assert {re.sub(r":path}", "}", path) for path in ours} >= listed
    assert {"/", "/live", "/docs", "/v1/analytics/sales/by-day", "/v1/sellers"} <= ours


GENERIC = ("http", "backends", "analytics", "live", "service", "web")
WEATHER = {
    "__init__.py": '"""Weather."""',
    "domain.py": """
from api.domain import Domain, Figures

async def ask():
    return 31.5

DOMAIN = Domain(
    "tides",
    open=lambda backends: backends.provide("a service"),
    tags={"tides": "High and low water."},
    scopes={"write:tides": "make rain"},
    figures=(Figures("sky", lambda backends: ask, lambda now, value: {"warmest": value}),),
)
""",
    "deep/__init__.py": "",
    "deep/routes.py": """
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from api.backends.backends import backends_of
from api.http.access import needs

ROUTER = APIRouter(tags=["tides"])

@ROUTER.get("/v1/tides", summary="Rain", dependencies=[Depends(needs("write:tides"))])
async def rain(request: Request):
    return {"rain": backends_of(request).service(str)}
""",
}


def test_a_new_domain_is_new_files_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in WEATHER.items():
        file = tmp_path / "tides" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setattr(api_package, "__path__", [*api_package.__path__, str(tmp_path)])
    monkeypatch.setattr(access, "NEEDED", set(access.NEEDED))
    caches = (registry.domains, registry.routers)
    for cache in caches:
        cache.cache_clear()
    try:
        tides = client(tmp_path)

        assert tides.get("/v1/tides").json() == {"rain": "a service"}
        assert tides.get("/v1/tides", "reader").status_code == 403
        assert "/v1/tides" in tides.get("/openapi.json", None).json()["paths"]
        assert registry.scopes()["write:tides"] == "make rain"
        assert document(5.0, {"sky": Reading(31.5)}, figures())["warmest"] == 31.5
    finally:
        for cache in caches:
            cache.cache_clear()
        for name in [name for name in sys.modules if name.startswith("api.tides")]:
            del sys.modules[name]


def test_generic_packages_know_no_domain_and_no_domain_knows_another() -> None:
    root = Path(api_package.__file__).parent
    names = [domain.name for domain in registry.domains()]
    wrong = []
    for folder in (*GENERIC, *names):
        for file in (root / folder).rglob("*.py"):
            imported = re.findall(r"^\s*(?:from|import) api\.(\w+)", file.read_text(), re.MULTILINE)
            wrong += [f"{file.relative_to(root)}: {name}" for name in imported if name in names and name != folder]

    assert wrong == []
    packages = {path.parent.name for path in root.glob("*/__init__.py")}
    assert packages == {*GENERIC, *names}, "a package is a domain, with a domain.py, or belongs to all of them"


def test_two_routes_of_one_path_are_refused() -> None:
    first, second = module("api.a.routes", ROUTER=router("/v1/{x}")), module("api.b.routes", ROUTER=router("/v1/{y}"))

    with pytest.raises(ValueError, match=r"GET /v1/\{y\} is declared by api.a.routes and api.b.routes"):
        registry.mounted([first, second])


def test_one_path_may_have_several_methods() -> None:
    modules = [module("api.a", ROUTER=router("/v1/x")), module("api.b", ROUTER=router("/v1/x", "POST"))]

    assert len(registry.mounted(modules)) == 2


def test_a_router_of_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"api.a.routes.MINE would not be mounted"):
        registry.mounted([module("api.a.routes", MINE=router("/v1/x"))])


def test_a_tag_that_nobody_declares_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no domain declares the tag 'tides' of /v1/x"):
        registry.mounted([module("api.a.routes", ROUTER=router("/v1/x", tag="tides"))])


def test_a_scope_that_nobody_declares_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    registry.routers.cache_clear()
    monkeypatch.setattr(access, "NEEDED", {"write:tides"})

    with pytest.raises(ValueError, match="needs the scope 'write:tides'"):
        registry.routers()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"scopes": {"admin": "x"}}, "the scope 'admin' of b is declared by the API itself already"),
        ({"scopes": {"write:a": "x"}}, "the scope 'write:a' of b is declared by a already"),
        ({"tags": {"service": "x"}}, "the tag 'service' of b is declared by the API itself already"),
        ({"figures": (Figures("flow", lambda _: nothing, lambda *_: {}),)}, "the source of figures 'flow' of b"),
        ({"figures": (Figures("b", lambda _: nothing, lambda *_: {"parts": 1}),)}, "document 'parts' of b"),
    ],
)
def test_what_two_declare_is_refused(more: dict[str, Any], sentence: str) -> None:
    first = Domain("a", scopes={"write:a": "x"})

    with pytest.raises(ValueError, match=re.escape(sentence)):
        registry.checked(
            {"api.a.domain": module("", DOMAIN=first), "api.b.domain": module("", DOMAIN=Domain("b", **more))}
        )


@pytest.mark.parametrize("members", [{}, {"DOMAIN": Domain("c")}, {"DOMAIN": "b"}])
def test_a_domain_without_its_declaration_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"api.b.domain must declare DOMAIN"):
        registry.checked({"api.b.domain": module("", **members)})
