from __future__ import annotations

import pytest

from ingestion.files.identifiers import cut_zeros
from ingestion.files.numbers import Mark, Number, UnreadableNumber, is_lost_id, number, proven_mark


@pytest.mark.parametrize(
    ("text", "mark", "expected", "currency"),
    [
        ("1.000", ",", "1000", ""), ("2,000", ",", "2.000", ""), ("1.234,50", ",", "1234.50", ""),
        ("1.234.567,8", ",", "1234567.8", ""), ("0,05", ",", "0.05", ""), (",5", ",", "0.5", ""),
        ("1,000", ".", "1000", ""), ("1,234.50", ".", "1234.50", ""), ("1.000", ".", "1.000", ""),
        ("1,00,000.50", ".", "100000.50", ""),
        ("10\u00a0237,65", ",", "10237.65", ""), ("10\u202f237,65", ",", "10237.65", ""),
        ("1 234 567", ".", "1234567", ""), ("99,-", ",", "99", ""),
        ("1'234.50", ".", "1234.50", ""), ("1’234", ".", "1234", ""), ("1'200.-", ".", "1200", ""),
        ("950,00\u202f₸", ",", "950.00", "KZT"), ("$1,234.50", ".", "1234.50", ""), ("USD 5", ".", "5", "USD"),
        ("1 234,50 руб.", ",", "1234.50", "RUB"), ("100 руб.", ".", "100", "RUB"), ("R$ 12,50", ",", "12.50", "BRL"),
        ("950 тг", ".", "950", "KZT"), ("12,50 zł", ",", "12.50", "PLN"), ("€5", ".", "5", "EUR"),
        ("(12.50)", ".", "-12.50", ""), ("($5.00)", ".", "-5.00", ""), ("12.50-", ".", "-12.50", ""),
        ("−5", ".", "-5", ""), ("-€5.00", ".", "-5.00", "EUR"), ("€ -5.00", ".", "-5.00", "EUR"), ("+5", ".", "+5", ""),
        ("105E-1", ",", "105E-1", ""), ("1,5E+3", ",", "1.5E+3", ""),
        ("1,234.50", "", "1234.50", ""), ("1.234,50", "", "1234.50", ""), ("0.125", "", "0.125", ""),
        ("1.000.000", "", "1000000", ""), ("10,5", "", "10.5", ""),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(text: str, mark: Mark, expected: str, currency: str) -> None:
    assert number(text, mark) == Number(expected, currency)


@pytest.mark.parametrize(
    ("text", "mark", "reason"),
    [
        ("1.5", ",", "the decimal mark is ','"), ("1,234.50", ",", "the decimal mark is ','"),
        ("0.125", ",", "the decimal mark is ','"), ("12.50", ",", "the decimal mark is ','"),
        ("1,50", ".", "the decimal mark is '.'"), ("1.234,50", ".", "the decimal mark is '.'"),
        ("1 234,50", ".", "the decimal mark is '.'"), ("1,5E+3", ".", "the decimal mark is '.'"),
        ("1.234", "", "1.234 may be 1234 or 1.234"), ("1,234", "", "1,234 may be 1234 or 1.234"),
    ],
)  # fmt: skip
def test_a_number_that_could_be_two_is_refused_with_the_cause(text: str, mark: Mark, reason: str) -> None:
    read = number(text, mark)
    assert isinstance(read, UnreadableNumber)
    assert read.reason.startswith(reason)


@pytest.mark.parametrize(
    "text",
    ["", " ", "abc", "NaN", "1_000", "١٢", "--5", "(-5)", "-5-", "1 2", "12 34", "1 23 456", "5 apples", "5%", "KZT",
     "1.2.3", "..", ",", "€5 USD", "9" * 70],
)  # fmt: skip
@pytest.mark.parametrize("mark", [".", ",", ""])
def test_what_is_no_number_is_none(text: str, mark: Mark) -> None:
    assert isinstance(number(text, mark), UnreadableNumber)


def test_a_mark_is_proven_by_numbers_that_can_be_read_in_one_way_only() -> None:
    assert proven_mark(["1.000", "2.500", "0,05"]) == (",", "")
    assert proven_mark(["1.000", "2.500"]) == ("", "")
    assert proven_mark(["1.000", "10.50"]) == (".", "")
    assert proven_mark(["10,50 ₸", "10.50"])[1] != ""
    assert proven_mark(["1\u00a0234,50"]) == (",", "")


def test_an_id_that_a_spreadsheet_destroyed_is_known() -> None:
    assert all(map(is_lost_id, ("4,88001E+11", "4.60709E+12", "5E+15")))
    assert not any(map(is_lost_id, ("1E10", "A-1E+2", "12E+11", "488")))


def test_leading_zeros_are_missed_where_the_other_codes_are_bar_codes() -> None:
    sound = ["4006381333931", "5901234123457", "4012345678901"]
    actual = cut_zeros([*sound, "12345678905"])
    assert actual is not None
    assert (actual.codes, actual.example, actual.zeros) == (1, "12345678905", "00")
    assert cut_zeros(sound) is None
    assert cut_zeros(["1", "2", "3", "10"]) is None
    assert cut_zeros([*sound, "0012345678905"]) is None
