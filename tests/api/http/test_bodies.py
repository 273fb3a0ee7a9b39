"""Bodies are read strictly, and never become a fault of ours."""

from __future__ import annotations

from typing import Any

import pytest

from api.http.bodies import parse
from api.http.problems import Problem
from schemas.derive.validation import Literal
from tests.api.asking import Client, problem

REFUSED: list[tuple[bytes, str]] = [
    (b"", "The body is not JSON: Expecting value at character 0."),
    (b"{", "The body is not JSON: Expecting property name enclosed in double quotes at character 1."),
    (b'{"a":1}{"a":1}', "The body is not JSON: Extra data at character 7."),
    (b'{"a":"caf\xe9"}', "The body is not UTF-8 at byte 9."),
    (b"\xef\xbb\xbf{}", "The body is not JSON: Expecting value at character 0."),
    (b'{"a":1,"a":2}', "The body has the field 'a' twice in one object."),
    (b'{"l":[{"a":1,"a":1}]}', "The body has the field 'a' twice in one object."),
    (b'{"a":NaN}', "The body holds NaN, which is not a number in JSON."),
    (b'{"a":-Infinity}', "The body holds -Infinity, which is not a number in JSON."),
    (b'{"a":"\\ud800"}', "The body holds half of a surrogate pair, which is not a character."),
    (b'{"\\udfff":1}', "The body holds half of a surrogate pair, which is not a character."),
    (b'{"a":"x\\u0000"}', "The body holds the character NUL."),
    (b'{"a":"\x00"}', "The body is not JSON: Invalid control character at at character 6."),
    (b'{"a":' + b"1" * 5_000 + b"}", "The body has a number with too many digits."),
    (b"[" * 100_000, "The body is nested too deeply."),
    (b'{"a":' * 100_000, "The body is nested too deeply."),
    (b"[" * 100_000 + b"]" * 100_000, "The body is nested too deeply."),
]


@pytest.mark.parametrize(("body", "detail"), REFUSED, ids=[repr(body[:20]) for body, _ in REFUSED])
def test_what_is_no_strict_json_is_refused_in_a_sentence(body: bytes, detail: str) -> None:
    with pytest.raises(Problem) as refused:
        parse(body)

    assert (refused.value.status, refused.value.detail) == (400, detail)


@pytest.mark.parametrize(("body", "value"), [
    (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}), (b'{"a":"\\\\u0000"}', {"a": "\\u0000"}),
    (b'{"a":"\\\\\\u0041"}', {"a": "\\A"}), (b" [1, -2, 1e3, 0.10] \n", [1, -2, "1e3", "0.10"]),
])  # fmt: skip
def test_what_is_json_comes_as_it_was_written(body: bytes, value: Any) -> None:
    assert parse(body) == value


def test_numbers_with_a_point_keep_their_digits() -> None:
    (actual,) = parse(b"[12345678901234.1234]")

    assert isinstance(actual, Literal)
    assert actual == "12345678901234.1234"


@pytest.mark.parametrize("media", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; x"])
def test_a_body_must_be_said_to_be_json(api: Client, media: str | None) -> None:
    headers = {"Content-Type": media} if media else {}
    answered = problem(api.ask("POST", "/v1/purchases", content=b"{}", headers=headers), 415)

    assert (media or "missing").split(";")[0] in answered["detail"]
