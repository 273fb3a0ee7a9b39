"""Cardinal's settings file: its sections, keys and defaults. A section switches its flag on."""

from __future__ import annotations

import configparser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, get_type_hints

import jobs.procurement.flags as package
from conf.discovery import modules_below
from jobs.procurement.flags.flag import Common, Flag

TOP = "\0top"
SETS = ("price_comparison_procurement_methods", "no_price_comparison_procurement_methods")
PREPARATION = {
    "defaults": {"currency", "item_classification_scheme", "bid_status", "award_status", "party_roles"},
    "redactions": {"amount", "organization_id"},
    "corrections": {"award_status_by_contract_status"},
    "modifications": {
        "move_auctions", "prefix_buyer_or_procuring_entity_id", "prefix_tenderer_or_supplier_id",
        "split_procurement_method_details",
    },
    "codelists.bid_status": None,
    "codelists.award_status": None,
}  # fmt: skip
"""Sections of Cardinal's `prepare` command, with their keys; they change nothing here."""


class WrongSettings(Exception):
    """The file cannot be used; the message says which section and key, and what was expected."""


@dataclass(frozen=True)
class FlagSettings:
    """What is computed, and how."""

    common: Common
    flags: Sequence[Flag]


@lru_cache(maxsize=1)
def known_flags() -> Mapping[str, type[Flag]]:
    """The flags by their codes. Raises ValueError for a module without the flag of its name."""
    by_code: dict[str, type[Flag]] = {}
    for module in modules_below(package):
        name = module.__name__.rpartition(".")[2]
        if name[0] == "r" and name[1:].isdigit():
            flag = getattr(module, name.upper(), None)
            if flag is None or flag.code != name.upper():
                raise ValueError(f"{module.__name__} has no flag {name.upper()}")
            by_code[flag.code] = flag
    return by_code


def default_settings() -> FlagSettings:
    """All flags, as they are without a file."""
    return FlagSettings(Common(), [flag() for flag in known_flags().values()])


def read_settings(text: str) -> FlagSettings:
    """The settings of a file. Raises WrongSettings."""
    parser = configparser.ConfigParser(
        interpolation=None, comment_prefixes=(";", "#"), delimiters=("=",), default_section="\0none"
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(f"[{TOP}]\n{text}")
    except (configparser.DuplicateSectionError, configparser.DuplicateOptionError) as problem:
        name = f"{problem.option} in " if isinstance(problem, configparser.DuplicateOptionError) else ""
        # The parser was given one line more, the first.
        raise WrongSettings(f"Line {(problem.lineno or 1) - 1}: {name}[{problem.section}] stands twice.") from None
    except configparser.ParsingError as problem:
        line, text = problem.errors[0]
        raise WrongSettings(f"Line {line - 1}: a section or `key = value` was expected, not {text.strip()}.") from None
    sections = {name: dict(parser[name]) for name in parser.sections()}
    common = _common(sections.pop(TOP), sections.pop("exclusions", {}))
    for name in PREPARATION.keys() & sections.keys():
        _refuse(name, sections.pop(name), PREPARATION[name])
    flags = []
    for code, flag in known_flags().items():
        own = {name: sections.pop(f"{code}.{name}") for name in flag.SECTIONS if f"{code}.{name}" in sections}
        if code in sections or own:
            flags.append(_flag(flag, sections.pop(code, {}), own))
    if sections:
        raise WrongSettings(f"[{min(sections)}] is unknown. Flags: {', '.join(known_flags())}.")
    return FlagSettings(common, flags)


def _common(top: Mapping[str, str], exclusions: Mapping[str, str]) -> Common:
    _refuse("", top, {"currency", *SETS})
    _refuse("exclusions", exclusions, {"procurement_method_details"})
    common = Common(excluded_method_details=_set(exclusions.get("procurement_method_details", "")))
    sets = {name: _set(top[name]) for name in SETS if name in top}
    return replace(common, currency=top.get("currency"), **sets)


def _flag(flag: type[Flag], values: Mapping[str, str], own: Mapping[str, Mapping[str, str]]) -> Flag:
    named = {each.name: each for each in fields(flag) if each.name not in flag.SECTIONS}
    _refuse(flag.code, values, set(named))
    types = get_type_hints(flag)
    chosen: dict[str, Any] = {name: _value(flag.code, name, text, types[name]) for name, text in values.items()}
    for section, entries in own.items():
        name = f"{flag.code}.{section}"
        chosen[section] = {key: _value(name, key, text, int) for key, text in entries.items()}
    return flag(**chosen)


def _value(section: str, name: str, text: str, kind: Any) -> Any:
    if kind == frozenset[str]:
        return _set(text)
    number = float if "float" in str(kind) else int
    try:
        return number(text)
    except ValueError:
        wanted = "a whole number" if number is int else "a number"
        raise WrongSettings(f"[{section}] {name} = {text}: {wanted} was expected.") from None


def _set(text: str) -> frozenset[str]:
    """Values with ``|`` between them; none after the last ``|``."""
    parts = text.split("|")
    return frozenset(parts[:-1] if parts[-1] == "" else parts)


def _refuse(section: str, values: Mapping[str, str], known: set[str] | None) -> None:
    if known is not None and (unknown := sorted(values.keys() - known)):
        where = f"in [{section}]" if section else "before the first section"
        raise WrongSettings(f"{unknown[0]} {where} is unknown. Known there: {', '.join(sorted(known)) or 'nothing'}.")
