"""Which encoding a text file has, told from its bytes alone.

A byte order mark or valid UTF-8 is proof. What else there is, is judged by the letters that each code page would make
of it: how common they are in the languages written with it, whether capitals stand where they may. Only a clear winner
is taken; otherwise the candidates are named with what each would read.
"""

from __future__ import annotations

import re
from math import log
from typing import NamedTuple

BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
# With how much doubt each begins: how rare it has become, as a logarithm.
PAGES = {
    "windows-1251": 0.0, "windows-1252": 0.0, "koi8-r": 1.0, "cp866": 1.0, "kz1048": 1.0, "windows-1250": 1.0,
    "windows-1254": 1.5, "cp850": 4.0,
}  # fmt: skip
# How often a letter stands among a thousand of Russian; the letters of its neighbours by hand.
CYRILLIC = dict(
    zip(
        "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
        (110, 85, 80, 74, 67, 63, 55, 47, 45, 44, 35, 32, 30, 28, 26, 20, 19, 17, 17, 16, 16, 14, 12, 10, 9, 7, 6, 5, 4,
         3, 3, 1, 2),
        strict=True,
    )
) | dict.fromkeys("әіғқңөұүһ", 12) | dict.fromkeys("їєґў", 3) | dict.fromkeys("ђћљњџјѕќѓ", 0.1)  # fmt: skip
LATIN = dict.fromkeys("äöüßéèçñáíóúâêàãõåæøôîûëï", 30) | dict.fromkeys("ěščřžýůąęłńśźżőűčď", 12) | dict.fromkeys(
    "ğışţșț", 12
) | dict.fromkeys("ìòùœÿðþ", 3)  # fmt: skip
SIGNS = {
    "№": 20, "«": 10, "»": 10, "—": 20, "–": 20, "\xa0": 30, "°": 5, "€": 10, "£": 8, "₸": 5, "…": 5, "’": 20, "‘": 3,
    "“": 8, "”": 8, "„": 5, "®": 3, "™": 3, "©": 1, "²": 3, "³": 2, "½": 2, "×": 3, "·": 2, "§": 1,
}  # fmt: skip
RARE, GROUP = 0.02, 200
CLEAR = 4.5
"""By so much must the winner's logarithm exceed the next one's: it is about ninety times as likely."""
SHOWN = 24
SAMPLE = 20_000
LETTERS = re.compile(r"[^\W\d_]+")


class EncodingGuess(NamedTuple):
    """`encoding` is empty where nothing is certain; then `candidates` are the likeliest, with what they would read."""

    encoding: str
    candidates: tuple[tuple[str, str], ...] = ()
    is_damaged_utf8: bool = False


def mark_of_order(start: bytes) -> str:
    """The encoding that a byte order mark at the start names, or none."""
    return next((name for bom, name in BOMS if start.startswith(bom)), "")


def guess_encoding(data: bytes, *, is_whole: bool = True) -> EncodingGuess:
    """Judge the bytes; `is_whole` is false where they may end within a character."""
    if named := mark_of_order(data):
        return EncodingGuess(named)
    if b"\0" in data[:4_000]:
        return _without_mark(data)
    try:
        (data if is_whole else data[: _last_line(data)]).decode("utf-8")
        return EncodingGuess("utf-8")
    except UnicodeDecodeError:
        pass
    # A good sequence of several bytes hardly ever comes about by chance: then it is UTF-8 with a broken place.
    text = data.decode("utf-8", "replace")
    good = sum(1 for sign in text if ord(sign) > 127 and sign != "�")
    if good > 2 * text.count("�"):
        return EncodingGuess("utf-8", is_damaged_utf8=True)
    return _page(data)


def _last_line(data: bytes) -> int:
    return data.rfind(b"\n") + 1 or len(data)


def _without_mark(data: bytes) -> EncodingGuess:
    """UTF-16 without its mark: every second byte of what is ASCII is zero."""
    start = data[:4_000]
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if odd > 4 * even and odd * 5 > len(start) / 2:
        return EncodingGuess("utf-16-le")
    if even > 4 * odd and even * 5 > len(start) / 2:
        return EncodingGuess("utf-16-be")
    return EncodingGuess("")


def _page(data: bytes) -> EncodingGuess:
    telling = b" ".join(re.findall(rb"[^\s;,\t\"|]*[\x80-\xff][^;,\t\"|\r\n]*", data[: 50 * SAMPLE]))[:SAMPLE]
    scored: dict[str, tuple[float, str]] = {}
    for page, doubt in PAGES.items():
        try:
            text = telling.decode(page)
        except UnicodeDecodeError:
            # A byte that the code page does not have: it is not this one.
            continue
        if all(text != other for _, other in scored.values()):
            scored[page] = (_likelihood(text) - doubt, text)
    ranked = sorted(scored, key=lambda page: -scored[page][0])
    if not ranked:
        return EncodingGuess("")
    best, score = ranked[0], scored[ranked[0]][0]
    letters = sum(1 for sign in scored[best][1] if ord(sign) > 127)
    second = scored[ranked[1]][0] if len(ranked) > 1 else score - CLEAR
    if score - second >= CLEAR and score > 0.7 * letters:
        return EncodingGuess(best)
    return EncodingGuess("", tuple((page, scored[page][1][:SHOWN]) for page in ranked[:3]))


def _likelihood(text: str) -> float:
    """The logarithm of how common the characters beyond ASCII are, where they stand."""
    total = 0.0
    for word in LETTERS.findall(text):
        beyond = [sign for sign in word if ord(sign) > 127]
        if not beyond:
            continue
        is_cyrillic = "Ѐ" <= beyond[0] <= "ӿ"
        known = CYRILLIC if is_cyrillic else LATIN
        fits = word.islower() or word.isupper() or word.istitle()
        # In a word of one script all letters are of it; a run of accents alone is no word of a Latin language.
        mixed = (is_cyrillic and len(beyond) < len(word)) or (not is_cyrillic and len(beyond) * 2 > len(word) > 2)
        for sign in beyond:
            weight = log(known.get(sign.lower(), RARE))
            total += weight - (0 if fits else 2.0) - (4.0 if mixed else 0)
    for at, sign in enumerate(text):
        if ord(sign) > 127 and not sign.isalpha():
            before, after = text[max(0, at - 1) : at], text[at + 1 : at + 2]
            if sign in "\xa0\u202f" and before.isdigit() and after.isdigit():
                total += log(GROUP)
            else:
                is_glued = before.isalpha() and after.isalpha() and sign not in "’‘·\xad"
                total += log(RARE if is_glued else SIGNS.get(sign, RARE))
    return total
