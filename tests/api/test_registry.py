"""Domains and their paths are found by looking, and none is lost without a word."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import APIRouter

from api import registry
from api.domain import Domain, Figures
from api.http import access
from tests.api.asking import Client


def module(name: str, **members: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(members)
    return made


def router(path: str, method: str = "GET", tag: str = "service") -> APIRouter:
    async def answer() -> None: ...

    made = APIRouter(tags=[tag])
    made.add_api_route(path, answer, methods=[method])
    return made


async def nothing() -> None: ...


def test_every_domain_has_a_declaration() -> None:
    assert [domain.name for domain in registry.domains()] == ["purchases", "shop"]


def test_every_path_of_every_router_is_mounted(api: Client) -> None:
    ours = {route.path for found in registry.routers() for route in found.routes}  # type: ignore[attr-defined]
    listed = set(api.get("/openapi.json", None).json()["paths"])

    assert {re.sub(r":path}", "}", path) for path in ours} >= listed
    assert {"/", "/live", "/docs", "/v1/analytics/sales/by-day", "/v1/sellers"} <= ours


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
    with pytest.raises(ValueError, match=r"no domain declares the tag 'weather' of /v1/x"):
        registry.mounted([module("api.a.routes", ROUTER=router("/v1/x", tag="weather"))])


def test_a_scope_that_nobody_declares_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    registry.routers.cache_clear()
    monkeypatch.setattr(access, "NEEDED", {"write:weather"})

    with pytest.raises(ValueError, match="needs the scope 'write:weather'"):
        registry.routers()


def test_a_file_in_a_folder_that_is_no_package_is_refused(tmp_path: Path) -> None:
    package = module("weather", __path__=[str(tmp_path)])
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "routes.py").write_text("")

    with pytest.raises(ImportError, match=r"needs an __init__.py"):
        registry.module_names(package)


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
