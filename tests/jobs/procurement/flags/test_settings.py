"""Cardinal's settings file: what it switches on, and what is refused."""

from __future__ import annotations

from dataclasses import fields

import pytest

from conf import REPOSITORY
from jobs.procurement.flags.flag import Common
from jobs.procurement.flags.r003 import R003
from jobs.procurement.flags.r018 import R018
from jobs.procurement.flags.r025 import R025
from jobs.procurement.flags.r038 import R038
from jobs.procurement.flags.settings import WrongSettings, default_settings, known_flags, read_settings

ELEVEN = ["R003", "R018", "R024", "R025", "R028", "R030", "R035", "R036", "R038", "R048", "R058"]


def test_the_eleven_are_known_and_all_are_on_without_a_file() -> None:
    assert list(known_flags()) == ELEVEN
    assert [flag.code for flag in default_settings().flags] == ELEVEN


def test_each_flag_has_its_page_and_stands_in_the_list() -> None:
    folder = REPOSITORY / "docs" / "reference" / "flags"
    listed = (folder / "index.md").read_text(encoding="utf-8")
    for code, flag in known_flags().items():
        page = (folder / f"{code}.md").read_text(encoding="utf-8")
        assert f"[{code}]({code}.md)" in listed
        assert [
            field.name for field in fields(flag) if f"`{field.name}`" not in page and field.name not in flag.SECTIONS
        ] == []


def test_a_section_switches_its_flag_on_and_what_is_left_out_has_its_default() -> None:
    chosen = read_settings(
        "; a comment\n[R038]\nthreshold = 0.5\n# another\n[R025]\n[R018]\nprocurement_methods = open\n"
    )
    assert list(chosen.flags) == [R018(frozenset({"open"})), R025(75, None), R038(0.5, 2, 2)]


def test_what_several_flags_share_stands_before_the_first_section() -> None:
    text = (
        "currency = KZT\nprice_comparison_procurement_methods = Auction|Price offers|\n"
        "[exclusions]\nprocurement_method_details = Random Selection\n[R036]\n"
    )
    assert read_settings(text).common == Common(
        currency="KZT", price_comparison_procurement_methods=frozenset({"Auction", "Price offers"}),
        excluded_method_details=frozenset({"Random Selection"}),
    )  # fmt: skip


def test_thresholds_by_method_are_a_section_of_their_own() -> None:
    text = "[R003]\nthreshold = 20\n[R003.procurement_method_details]\nemergency = 10\nOpen, abroad = 25\n"
    assert read_settings(text).flags == [R003(20, frozenset(), {"emergency": 10, "Open, abroad": 25})]


def test_sections_of_preparation_are_read_over() -> None:
    text = "[defaults]\ncurrency = USD\n[codelists.bid_status]\nqualified = valid\n[R018]\n"
    assert [flag.code for flag in read_settings(text).flags] == ["R018"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[R999]\n", r"\[R999\] is unknown\. Flags: R003, R018"),
        ("[R024]\nlimit = 1\n", r"limit in \[R024\] is unknown\. Known there: threshold"),
        ("[R028]\nthreshold = 1\n", r"threshold in \[R028\] is unknown\. Known there: nothing"),
        ("colour = red\n", "colour before the first section is unknown"),
        ("[defaults]\ncolour = red\n", r"colour in \[defaults\] is unknown"),
        ("[R048]\ndigits = two\n", r"\[R048\] digits = two: a whole number was expected"),
        ("[R058]\nthreshold = much\n", r"\[R058\] threshold = much: a number was expected"),
        ("[R003.procurement_method_details]\nemergency = soon\n", "emergency = soon: a whole number was expected"),
        ("[R018]\n[R018]\n", r"Line 2: \[R018\] stands twice"),
        ("[R058]\nthreshold = 1\nthreshold = 2\n", r"Line 3: threshold in \[R058\] stands twice"),
        ("[R018]\nnonsense\n", "Line 2: a section or `key = value` was expected, not 'nonsense"),
    ],
)
def test_what_is_not_known_is_refused_by_name(text: str, sentence: str) -> None:
    with pytest.raises(WrongSettings, match=sentence):
        read_settings(text)
