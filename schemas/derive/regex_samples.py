"""Texts that match a regular expression, for fakes. It knows what contracts use and says so when it meets more."""

from __future__ import annotations

import random
import string
from collections.abc import Callable

_SETS = {"d": string.digits, "w": string.ascii_lowercase + string.digits + "_", "s": " ", "S": string.ascii_lowercase}
_MOST_REPEATS = 4

Make = Callable[[random.Random], str]


def text_matching(pattern: str, chance: random.Random) -> str:
    """A text that matches the whole of `pattern`. Raises ValueError for a construct that is not known here."""
    reader = _Reader(pattern)
    make = reader.alternatives()
    if reader.left():
        raise reader.unknown()
    return make(chance)


class _Reader:
    """Reads a pattern from left to right; each method reads one construct and returns what makes a text for it."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0

    def left(self) -> str:
        return self.pattern[self.at :]

    def unknown(self) -> ValueError:
        return ValueError(f"fakes don't know how to match {self.left()!r} in the pattern {self.pattern!r}")

    def take(self, text: str) -> bool:
        match = self.left().startswith(text)
        self.at += len(text) if match else 0
        return match

    def alternatives(self) -> Make:
        branches = [self.sequence()]
        while self.take("|"):
            branches.append(self.sequence())
        return lambda chance: chance.choice(branches)(chance)

    def sequence(self) -> Make:
        parts: list[Make] = []
        while self.left() and self.left()[0] not in "|)":
            if self.take("^") or self.take("$"):
                continue
            parts.append(self.repeated(self.one()))
        return lambda chance: "".join(part(chance) for part in parts)

    def one(self) -> Make:
        if self.take("(?:") or self.take("("):
            if self.left().startswith("?"):
                raise self.unknown()
            inner = self.alternatives()
            if not self.take(")"):
                raise self.unknown()
            return inner
        if self.take("["):
            return self.any_of(self.members())
        if self.take("."):
            return self.any_of(string.ascii_lowercase)
        if self.take("\\"):
            return self.any_of(self.escaped())
        if self.left()[0] in "*+?{":
            raise self.unknown()
        self.at += 1
        return self.any_of(self.pattern[self.at - 1])

    def escaped(self) -> str:
        name = self.left()[:1]
        if name.isalnum() and name not in _SETS:
            raise self.unknown()
        self.at += 1
        return _SETS.get(name, name)

    def members(self) -> str:
        if self.left().startswith("^"):
            raise self.unknown()
        match = ""
        while not self.take("]"):
            first = self.member()
            if self.left().startswith("-") and not self.left().startswith("-]"):
                self.at += 1
                match += "".join(map(chr, range(ord(first), ord(self.member()) + 1)))
            else:
                match += first
        return match

    def member(self) -> str:
        if self.take("\\"):
            return self.escaped()
        if not self.left():
            raise self.unknown()
        self.at += 1
        return self.pattern[self.at - 1]

    def repeated(self, make: Make) -> Make:
        low, high = 1, 1
        if self.take("?"):
            low = 0
        elif self.take("*"):
            low, high = 0, _MOST_REPEATS
        elif self.take("+"):
            high = _MOST_REPEATS
        elif self.take("{"):
            numbers, _, rest = self.left().partition("}")
            least, comma, most = numbers.partition(",")
            low = int(least)
            high = int(most) if most else low + _MOST_REPEATS if comma else low
            self.at = len(self.pattern) - len(rest)
        return lambda chance: "".join(make(chance) for _ in range(chance.randint(low, high)))

    @staticmethod
    def any_of(letters: str) -> Make:
        return lambda chance: chance.choice(letters)
