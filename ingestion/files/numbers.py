"""Numbers as people and their programs write them: ``1 234,50 ₸``, ``(12.00)``, ``1.000``, ``CHF 1'200.-``.

What a mark means is not guessed cell by cell. The decimal mark is that of the file: as it was set, or as other numbers
of the file prove it (`proven_mark`). A number that could be two is refused, and the reason names the mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

from ingestion.files.currencies import currency_of

Mark = Literal[".", ",", ""]
"""The file's decimal mark; empty where nothing proves it: then only what can be read in one way is read."""

SPACES = " \u00a0\u202f\u2009\u2007"
GROUPS = f"[{SPACES}'’ʼ`]"
PLAIN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?", re.ASCII)
SEPARATED = re.compile(rf"[1-9][0-9]{{0,2}}(?P<by>{GROUPS})[0-9]{{3}}((?P=by)[0-9]{{3}})*(?![0-9])")
EXPONENT = re.compile(r"[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]{1,2}", re.ASCII)
NUMERAL = re.compile(r"[0-9]+([.,][0-9]+)*[.,]?|[.,][0-9]+", re.ASCII)
LEADING = re.compile(r"^([^0-9(.,+-]*)(.*)$", re.DOTALL)
TRAILING = re.compile(r"^(.*?[0-9).,-])([^0-9(]*)$", re.DOTALL)
THREES = re.compile(r"[1-9][0-9]{0,2}(\.[0-9]{3})+|[1-9][0-9]?(\.[0-9]{2})*\.[0-9]{3}", re.ASCII)
LOST = re.compile(r"[0-9]([.,][0-9]+)?[eE]\+[0-9]{2,3}", re.ASCII)
MOST_CHARACTERS = 64


class Number(NamedTuple):
    """`text` is plain: digits, a point, a minus before them. `currency` is the code that stood beside it, or empty."""

    text: str
    currency: str = ""


class UnreadableNumber(NamedTuple):
    """Why a text is not read as a number: the real cause, and what to do. Empty where it is simply none."""

    reason: str


NOTHING = UnreadableNumber("")


def is_lost_id(text: str) -> bool:
    """Whether it is what a spreadsheet leaves of a long number, as in ``4,88001E+11``: the digits are gone."""
    return "+" in text and LOST.fullmatch(text.strip()) is not None


@lru_cache(maxsize=65_536)
def number(text: str, mark: Mark = ".") -> Number | UnreadableNumber:
    """Read a number whose decimal mark is `mark`."""
    text = text.strip()
    if mark == "." and len(text) <= MOST_CHARACTERS and PLAIN.fullmatch(text):
        return Number(text)
    return _written(text, mark)


def _written(text: str, mark: Mark) -> Number | UnreadableNumber:
    if not text or len(text) > MOST_CHARACTERS:
        return NOTHING
    peeled = _peeled(text)
    if peeled is None:
        return NOTHING
    sign, digits, currency = peeled
    read = _digits(digits, mark)
    return read if isinstance(read, UnreadableNumber) else Number(sign + read, currency)


def _peeled(text: str) -> tuple[str, str, str] | None:
    """Sign, digits with their marks, and currency; None where something else stands there."""
    negative, currency = 0, ""
    text = text.replace("−", "-").replace("–", "-").replace("\u00ad", "")
    for _ in range(4):
        before = text
        if text.startswith("(") and text.endswith(")"):
            text, negative = text[1:-1].strip(), negative + 1
        if text[:1] in ("-", "+"):
            text, negative = text[1:].strip(), negative + (text[0] == "-")
        # 1'200.- is a round amount, not a negative one.
        if text.endswith((".-", ",-")):
            text = text[:-2]
        elif text.endswith("-"):
            text, negative = text[:-1].strip(), negative + 1
        matched = _without_currency(text)
        if matched is None:
            return None
        text, named = matched
        if named and currency and named != currency:
            return None
        currency = currency or named
        if text == before:
            break
    if not text or negative > 1:
        return None
    return "-" * negative, text, currency


def _without_currency(text: str) -> tuple[str, str] | None:
    """The text without a currency before or after it, and its code; None where what stands there is none."""
    code = ""
    if text[:1] and not (text[0].isdigit() or text[0] in "(.,+-"):
        matched = LEADING.match(text)
        assert matched is not None
        named = currency_of(matched[1])
        if named is None:
            return None
        text, code = matched[2].strip(), named
    if text[-1:] and not (text[-1].isdigit() or text[-1] in ").,-"):
        ended = TRAILING.match(text)
        named = currency_of(ended[2]) if ended else None
        if ended is None or named is None or (code and named and code != named):
            return None
        text, code = ended[1].strip(), code or named
    elif text.endswith("."):
        # "100 руб." ends in a point that belongs to the word.
        ended = TRAILING.match(text[:-1])
        if ended and ended[2].strip() and (named := currency_of(ended[2])) is not None:
            text, code = ended[1].strip(), code or named
    return text, code


def _digits(text: str, mark: Mark) -> str | UnreadableNumber:
    if EXPONENT.fullmatch(text):
        return text.replace(",", ".") if mark != "." or "," not in text else _other(text, mark)
    if matched := SEPARATED.match(text):
        # After groups that are set apart by a space or an apostrophe, the one mark left can only be the decimal one.
        whole = re.sub(GROUPS, "", matched[0])
        rest = text[matched.end() :]
        if not rest:
            return whole
        if not re.fullmatch(r"[.,][0-9]*", rest, re.ASCII):
            return NOTHING
        if mark and rest[0] != mark:
            return _other(text, mark)
        return f"{whole}.{rest[1:]}" if rest[1:] else whole
    if not NUMERAL.fullmatch(text):
        return NOTHING
    if not ("." in text or "," in text):
        return text
    return _marked(text, mark)


def _marked(text: str, mark: Mark) -> str | UnreadableNumber:
    decimal = mark or _proof(text)
    if not decimal:
        head, _, tail = text.replace(",", ".").partition(".")
        return UnreadableNumber(
            f"{text} may be {head}{tail} or {head}.{tail}, and no number of the file shows which: set decimal_mark"
        )
    other = "." if decimal == "," else ","
    whole, _, fraction = text.partition(decimal)
    if other in fraction or decimal in fraction:
        return _other(text, mark) if _proof(text) == other else NOTHING
    if other in whole:
        if not THREES.fullmatch(whole.replace(other, ".")):
            return _other(text, mark)
        whole = whole.replace(other, "")
    return f"{whole or '0'}.{fraction}" if fraction else (whole or "0")


def _other(text: str, mark: Mark) -> UnreadableNumber:
    other = "." if mark == "," else ","
    return UnreadableNumber(
        f"the decimal mark is {mark!r}, and {other!r} sets thousands apart, which do not stand so in {text}"
    )


def _proof(text: str) -> Mark:
    """The decimal mark that these digits prove, or none."""
    points, commas = text.count("."), text.count(",")
    if points and commas:
        last: Mark = "." if text.rindex(".") > text.rindex(",") else ","
        return last if text.count(last) == 1 else ""
    if points + commas == 0:
        return ""
    mark: Mark = "." if points else ","
    if points + commas > 1:
        return "," if points else "."
    whole, _, fraction = text.partition(mark)
    is_group = len(fraction) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0")
    return "" if is_group else mark


def proven_mark(texts: Iterable[str]) -> tuple[Mark, Mark]:
    """The decimal mark that some of these numbers prove, and the other one where some prove that too."""
    counts = {".": 0, ",": 0}
    for text in texts:
        if ("." in text or "," in text) and (mark := mark_of(text)):
            counts[mark] += 1
    first: Mark = "." if counts["."] >= counts[","] else ","
    second: Mark = "," if first == "." else "."
    return (first if counts[first] else ""), (second if counts[second] else "")


@lru_cache(maxsize=65_536)
def mark_of(text: str) -> Mark:
    """The decimal mark that one number proves, whatever stands around its digits."""
    if len(text) > MOST_CHARACTERS or (peeled := _peeled(text.strip())) is None:
        return ""
    digits = peeled[1]
    if matched := SEPARATED.match(digits):
        rest = digits[matched.end() : matched.end() + 1]
        return "." if rest == "." else "," if rest == "," else ""
    if EXPONENT.fullmatch(digits):
        return "," if "," in digits else "." if "." in digits else ""
    return _proof(digits) if NUMERAL.fullmatch(digits) else ""
