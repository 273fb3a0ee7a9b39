"""The OpenAPI document: complete, true to what is answered, and readable without network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from api.registry import routers
from tests.api.asking import GOOD, Client


@pytest.fixture
def document(api: Client) -> dict[str, Any]:
    actual: dict[str, Any] = api.get("/openapi.json", None).json()
    return actual


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, actual in document["paths"].items():
        for method, operation in actual.items():
            yield f"{method.upper()} {path}", operation


def test_it_is_openapi_3_1_with_every_path(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert len(list(routers())) >= 5
    names = [name for name, _ in operations(document)]
    assert "POST /v1/purchases" in names
    assert "PATCH /v1/products/{name}" in names
    assert len(names) >= 29


def test_every_operation_says_what_it_is(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    tags = {tag["name"] for tag in document["tags"]}
    for name, operation in operations(document):
        assert set(operation["tags"]) <= tags, name
        assert operation["summary"], name


def test_every_path_that_wants_a_key_says_so_and_how_it_refuses(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        if "/v1/" not in name:
            assert "security" not in operation, name
            continue
        assert operation["security"] == [{"key": []}], name
        answers = operation["responses"]
        assert {"401", "403", "405", "421", "422", "429", "500", "503"} <= answers.keys(), name
        if "requestBody" in operation:
            assert {"400", "408", "413", "415"} <= answers.keys(), name
        assert all(answers[s] == {"$ref": f"#/components/responses/Problem{s}"} for s in answers if s >= "4"), name
        assert sum(status < "4" for status in answers) == (2 if name.startswith("PUT") else 1), name


def test_every_good_answer_and_body_has_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    checked = 0
    for name, operation in operations(document):
        if "/v1/" not in name:
            continue
        good = next(answer for status, answer in operation["responses"].items() if status < "4")
        for answered in (good, operation.get("requestBody", {})):
            for media in answered.get("content", {}).values():
                schema = media["schema"] | {"components": document["components"]}
                jsonschema.Draft202012Validator(schema).validate(media["example"])
                checked += 1
    assert checked >= 30


def test_every_parameter_is_described(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], name
            assert parameter["schema"], name


def test_problems_have_the_shape_that_is_told(api: Client, document: dict[str, Any]) -> None:
    shape = jsonschema.Draft202012Validator(document["components"]["schemas"]["Problem"])
    for answer in (api.send({}), api.send(GOOD, key=None), api.get("/nothing"), api.ask("PUT", "/v1/purchases")):
        assert answer.status_code >= 400
        shape.validate(answer.json())


def test_methods_that_are_not_there_are_told(api: Client) -> None:
    answer = api.ask("PUT", "/v1/purchases")

    assert answer.status_code == 405
    assert answer.json()["detail"] == "This path does not accept PUT."
    assert "POST" in answer.headers["allow"]


def test_the_page_of_paths_needs_nothing_from_elsewhere(api: Client) -> None:
    answer = api.get("/docs", None)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "/v1/purchases:batch" in answer.text
    for word in ("http://", "https://", "<script", "<link", "src="):
        assert word not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
