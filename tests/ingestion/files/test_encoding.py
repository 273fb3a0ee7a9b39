from __future__ import annotations

import pytest

from ingestion.files.encoding import PAGES, guess_encoding

TEXTS = {
    "windows-1251": ["Чайник", "Заказ;Дата;Артикул\n1;Сахар-песок 1 кг;№ 5 «Заря»", "ТОВАР;ЦЕНА;КОЛ-ВО"],
    "koi8-r": ["Заказ;Дата;Чайник электрический"],
    "cp866": ["Чайник", "ТОВАР;ЦЕНА"],
    "kz1048": ["Қант; шәй; үлкен; Алматы қаласы"],
    "windows-1252": ["Größe;Menge\nDübel;3\nKöln", "São Paulo;Coração"],
    "cp850": ["Dübel; Größe; Köln; Stück"],
    "utf-16": ["Заказ", "a;b"],
    "utf-8": ["Чайник", "abc", "Größe"],
}


@pytest.mark.parametrize(("page", "text"), [(page, text) for page, texts in TEXTS.items() for text in texts])
def test_an_encoding_that_is_certain_is_told(page: str, text: str) -> None:
    assert guess_encoding(text.encode(page)).encoding == page


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("windows-1251", "чай"), ("windows-1250", "Čajník; příbor"), ("windows-1252", "5 €"),
        ("windows-1252", "crème brûlée"), ("koi8-r", "чайник"), ("windows-1254", "Şişe;çığ"),
    ],
)  # fmt: skip
def test_of_what_is_not_certain_the_candidates_are_shown(page: str, text: str) -> None:
    guess = guess_encoding(text.encode(page))
    assert guess.encoding == ""
    assert page in [candidate for candidate, _ in guess.candidates]


@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_taken_for_another(page: str) -> None:
    for texts in TEXTS.values():
        for text in texts:
            try:
                data = text.encode(page)
            except UnicodeEncodeError:
                continue
            actual = guess_encoding(data).encoding
            # The pages of one script share most of their letters: what is read is what counts.
            assert not actual or data.decode(actual) == text


def test_utf_16_without_its_mark_is_known_by_its_zeros() -> None:
    assert guess_encoding("Order;Date\r\n1;2".encode("utf-16-le")).encoding == "utf-16-le"
    assert guess_encoding("Order;Date\r\n1;2".encode("utf-16-be")).encoding == "utf-16-be"


def test_one_broken_byte_does_not_make_utf_8_another_page() -> None:
    guess = guess_encoding("Чайник;Утюг;Сахар".encode() + b"\xff")
    assert (guess.encoding, guess.is_damaged_utf8) == ("utf-8", True)
