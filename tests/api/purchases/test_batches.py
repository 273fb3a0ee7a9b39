"""Batches are read one purchase after the other, and mean what the whole text would mean."""

from __future__ import annotations

import json
import random
import tracemalloc
from typing import Any

import pytest

from api.http import bodies
from api.http.problems import Problem
from api.purchases import batches


def read(body: bytes) -> list[tuple[bytes, Any]]:
    return list(batches.read(body))


def _random(chance: random.Random, depth: int = 0) -> Any:
    kinds = [None, True, chance.randrange(-(10**6), 10**6), chance.choice(('a"b', "\\", "ш😀,]}", "", "x" * 300))]
    if depth < 3:
        kinds += [[_random(chance, depth + 1) for _ in range(chance.randrange(4))] for _ in range(2)]
        kinds += [{f"k{n}": _random(chance, depth + 1) for n in range(chance.randrange(4))} for _ in range(2)]
    return chance.choice(kinds)


@pytest.mark.parametrize("window", [3, 10, 64, 64_000])
def test_a_batch_read_in_pieces_is_the_batch_read_at_once(monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    """Wherever the pieces are cut: in a text, a number, a word, behind a backslash."""
    monkeypatch.setattr(bodies, "WINDOW", window)
    chance = random.Random(7)
    for _ in range(60):
        wanted = [_random(chance) for _ in range(chance.randrange(1, 12))]
        separators = chance.choice(((",", ":"), (" ,\n", "\t: ")))
        text = json.dumps({"purchases": wanted}, separators=separators, ensure_ascii=chance.random() < 0.5)

        actual = read(text.encode())

        assert [value for _, value in actual] == wanted
        assert [json.loads(raw) for raw, _ in actual] == wanted
        assert all(raw in text.encode() for raw, _ in actual)


@pytest.mark.parametrize(("body", "detail"), [
    (b'{"purchases":[{}', "The body is not JSON: Expecting ',' delimiter at character 16."),
    (b'{"purchases":[{}]', "The body is not JSON: Expecting ',' delimiter at character 17."),
    (b'{"purchases":[{}]}x', "The body is not JSON: Extra data at character 18."),
    (b'{"purchases":[{}] x', "The body is not JSON: Expecting ',' delimiter at character 18."),
    (b'{"purchases":[{},]}', "The body is not JSON: Expecting value at character 17."),
    (b'{"purchases":[,{}]}', "The body is not JSON: Expecting value at character 14."),
    (b'{"purchases":[{} {}]}', "The body is not JSON: Expecting ',' delimiter at character 16."),
    (b'{"purchases":[{"a":1,"a":2}]}', "The body has the field 'a' twice in one object."),
    (b'{"purchases":[{}],"purchases":[]}', "The body has the field 'purchases' twice in one object."),
    (b'{"purchases":[{"a":NaN}]}', "The body holds NaN, which is not a number in JSON."),
    (b'{"purchases":["\\ud800"]}', "The body holds half of a surrogate pair, which is not a character."),
    (b'{"purchases":[{}],"x', "The body is not JSON: Unterminated string starting at at character 18."),
    (b'{"purchases":[' + b"[" * 100_000, "The body is nested too deeply."),
    (b'{"purchases":["' + b"x" * 500_000, "The body is not JSON: Unterminated string starting at at character 14."),
    (b'{"purchases":["\xff"]}', "The body is not UTF-8 at byte 15."),
    (b"not json", "The body is not JSON: Expecting value at character 0."),
])  # fmt: skip
def test_a_batch_that_is_no_json_is_refused_where_it_is_none(body: bytes, detail: str) -> None:
    with pytest.raises(Problem) as refused:
        read(body)

    assert (refused.value.status, refused.value.detail) == (400, detail)


DENSE = {
    "elements": b'{"purchases":[' + b"[]," * 2_600_000 + b"[]]}",
    "numbers": b'{"purchases":[' + b"0," * 3_900_000 + b"0]}",
    "one purchase": b'{"purchases":[{"lines":[' + b"[]," * 2_600_000 + b"[]]}]}",
    "large purchases": b'{"purchases":[' + b",".join(b"[" + b"[]," * 330_000 + b"0]" for _ in range(7)) + b"]}",
    "behind texts": b'{"purchases":[' + (b'"' + b',\\"' * 100_000 + b'",') * 3 + b"[" + b"{}," * 2_000_000 + b"0]]}",
    "another list": b'{"others":[' + b"[]," * 2_600_000 + b"[]]}",
    "a text without end": b'{"purchases":["' + b'\\",' * 2_600_000,
}


@pytest.mark.parametrize("body", DENSE.values(), ids=DENSE.keys())
def test_a_body_of_many_small_values_takes_no_memory(body: bytes) -> None:
    """Eight million bytes of brackets would be two hundred and fifty million bytes of lists."""
    tracemalloc.start()
    try:
        with pytest.raises(Problem) as refused:
            for _ in batches.read(body):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert refused.value.status in (400, 422)
    assert peak < 4 * len(body) + 12_000_000


def test_a_single_body_of_many_small_values_is_not_read() -> None:
    with pytest.raises(Problem, match="more than 100,000 values"):
        bodies.parse(b"[" + b"[]," * 300_000 + b"0]")
    # Commas in a text are none between values.
    assert len(bodies.parse(b'["' + b',\\"' * 200_000 + b'"]')[0]) == 400_000


def test_the_densest_purchase_that_keeps_the_contract_is_read() -> None:
    line = b'{"product_id":"p","quantity":1,"unit_price":1}'
    one = b'{"lines":[' + b",".join([line] * 10_000) + b"]}"

    assert len(bodies.parse(one)["lines"]) == 10_000
    actual = read(b'{"purchases":[' + b",".join([one] * 16) + b"]}")
    assert [raw for raw, _ in actual] == [one] * 16
