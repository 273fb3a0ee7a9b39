"""Texts that match a pattern."""

import re
from random import Random

import pytest

from schemas.derive.regex_samples import text_matching


@pytest.mark.parametrize(
    "pattern",
    ["[0-9]{12}", r"^\d{3}-[A-Z]{2,3}$", r"(KZ|RU)\d?[a-f.\-]+x*", r"[\d\-x]{5}", r"\w+@\w+\.kz", "(?:a|bc){2}d?",
     r"^(?:[0-9]{12})$", "[-a]{3}", "[a-]{3}", "a{2,}", ".x", "", r"[А-Я]{3}"],
)  # fmt: skip
def test_the_text_matches(pattern: str) -> None:
    texts = {text_matching(pattern, Random(seed)) for seed in range(50)}

    assert all(re.fullmatch(pattern, text) for text in texts)


def test_texts_vary_and_repeat_with_the_seed() -> None:
    texts = [text_matching("[0-9]{12}", Random(seed)) for seed in range(20)]

    assert len(set(texts)) == 20
    assert texts[7] == text_matching("[0-9]{12}", Random(7))


@pytest.mark.parametrize("pattern", ["[^a]", "(?=a)", r"\bword", "(a", "[a", "a)", "*a"])
def test_what_is_not_known_is_said(pattern: str) -> None:
    with pytest.raises(ValueError, match="fakes don't know how to match"):
        text_matching(pattern, Random(0))
