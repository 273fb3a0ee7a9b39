"""Which formats the times of a column have, told from all of them together.

Where days and months are set apart by points, days come first. Elsewhere a number above 12 decides which is which;
where there is none, both readings are named and none is chosen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ingestion.files.instants import EXCEL, ISO, SCIENTIFIC, SERIAL

ISO_LIKE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?( ?(Z|UTC|GMT|[+-]\d\d:?\d\d))?)?", re.ASCII)
NUMERIC = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{2,4})(.*)", re.ASCII)
DAY_FIRST = re.compile(r"(\d{1,2})([ -])([A-Za-z]{3,9})\2(\d{4})(.*)", re.ASCII)
MONTH_FIRST = re.compile(r"([A-Za-z]{3,9}) (\d{1,2}), (\d{4})(.*)", re.ASCII)
CLOCK = re.compile(r"(,? |T|)(\d{1,2}):\d\d(:\d\d)?( ?[AaPp][Mm])?", re.ASCII)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
EITHER = "%?"
FEWEST_SHARE = 0.02
"""A form that so few of the texts have is taken for a slip of the pen and not for a format."""


class Dates(NamedTuple):
    """`formats` as a mapping has them, the commonest first; `choices` where day and month cannot be told apart.

    `fitting` is the share of the texts that have one of the forms, `example` one of them.
    """

    formats: tuple[str, ...]
    choices: tuple[str, ...]
    fitting: float
    example: str
    has_clock: bool


def dates(texts: Iterable[str]) -> Dates:
    """What the texts of a column show; without formats and choices where they are no times."""
    forms: Counter[str] = Counter()
    firsts: dict[str, int] = {}
    seconds: dict[str, int] = {}
    count, example = 0, ""
    for text in texts:
        text = " ".join(text.split())
        if not text:
            continue
        count += 1
        form, first, second = _form(text)
        if form:
            example = example or text
            forms[form] += 1
            firsts[form] = max(firsts.get(form, 0), first)
            seconds[form] = max(seconds.get(form, 0), second)
    usual = [form for form, seen in forms.most_common(4) if seen >= FEWEST_SHARE * count]
    either = [form for form in usual if EITHER in form]
    day_first = any(firsts[form] > 12 for form in either)
    month_first = any(seconds[form] > 12 for form in either)
    fitting = sum(forms.values()) / count if count else 0.0
    has_clock = any("%H" in form or "%I" in form or form in (EXCEL,) for form in usual) or ":" in example
    if either and day_first == month_first:
        choices = tuple(_chosen(either[0], day) for day in (True, False))
        return Dates((), choices, fitting, example, has_clock)
    return Dates(tuple(_chosen(form, day_first) for form in usual), (), fitting, example, has_clock)


def _chosen(form: str, day_first: bool) -> str:
    order = ("%d", "%m") if day_first else ("%m", "%d")
    for part in order:
        form = form.replace(EITHER, part, 1)
    return form


def _form(text: str) -> tuple[str, int, int]:
    """The format of one text, with `%?` for what is day or month, and these two numbers."""
    if ISO_LIKE.fullmatch(text):
        return ISO, 0, 0
    if SERIAL.fullmatch(text) or SCIENTIFIC.fullmatch(text):
        return EXCEL, 0, 0
    if match := NUMERIC.fullmatch(text):
        first, by, second, last, rest = match.groups()
        clock = _clock(rest)
        if clock is None:
            return "", 0, 0
        if len(first) == 4:
            return (f"%Y{by}%m{by}%d{clock}", 0, 0) if len(last) <= 2 and int(second) <= 12 else ("", 0, 0)
        year = "%Y" if len(last) == 4 else "%y" if len(last) == 2 else ""
        if not year or len(first) > 2:
            return "", 0, 0
        if by == ".":
            return f"%d.%m.{year}{clock}", 0, 0
        return f"{EITHER}{by}{EITHER}{by}{year}{clock}", int(first), int(second)
    if match := DAY_FIRST.fullmatch(text):
        clock = _clock(match[5])
        month = _month(match[3])
        return (f"%d{match[2]}{month}{match[2]}%Y{clock}", 0, 0) if month and clock is not None else ("", 0, 0)
    if match := MONTH_FIRST.fullmatch(text):
        clock = _clock(match[4])
        month = _month(match[1])
        return (f"{month} %d, %Y{clock}", 0, 0) if month and clock is not None else ("", 0, 0)
    return "", 0, 0


def _month(word: str) -> str:
    if word[:3].lower() not in MONTHS:
        return ""
    return "%b" if len(word) == 3 else "%B"


def _clock(rest: str) -> str | None:
    if not rest:
        return ""
    match = CLOCK.fullmatch(rest)
    if not match or not match[1]:
        return None
    half = match[4] or ""
    space = " " if half.startswith(" ") else ""
    seconds = ":%S" if match[3] else ""
    return f"{match[1]}%I:%M{seconds}{space}%p" if half else f"{match[1]}%H:%M{seconds}"
