"""What refuses an event: Spark SQL made from the event's contract.

Two questions are asked apart, because their costs differ a hundredfold. `is_broken` is asked of every event and says
only yes or no, over fields that were parsed with their types. `reason` is asked of the few that are broken: it parses
them again, as text, to say which rule it was and what was found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from schemas.contract import Column, Contract
from schemas.contract.rules import RowRule, quoted
from schemas.contract.types import MONEY_SCALE

FOUND_CHARACTERS = 80
BETWEEN_BRACKETS = "concat('[', CAST(value AS STRING), ',{}]')"
EXPONENT = "^-?[1-9]([.][0-9]{1,14})?[eE][+-]?[0-9]$"


def parse_ddl(event: Contract) -> str:
    """The schema with which `from_json` reads an event.

    Money stays text here: a decimal type would round a fifth digit in silence. So does what may be left out: a null
    would not tell the unreadable from the missing.
    """
    return f"struct<{_fields(event)}>"


def _fields(contract: Contract) -> str:
    return ", ".join(f"`{c}`: {_parsed(c)}" for c in contract.columns)


def _parsed(column: Column) -> str:
    if column.items is not None:
        return f"array<struct<{_fields(column.items)}>>"
    return "string" if column.type.name == "MONEY" or column.optional else column.type.spark


def _may_hide(column: Column) -> bool:
    """Whether a null can stand for something that was there and could not be read."""
    return column.optional and column.items is None and column.type.spark != "string"


def text_ddl(contract: Contract) -> str:
    """The same fields as they were written: a list is a list of its elements' JSON."""
    fields = [f"`{c}` {'array<string>' if c.items is not None else 'string'}" for c in contract.columns]
    return ", ".join([*fields, "`_corrupt` string"])


def typed(column: Column, parsed: str) -> str:
    """The value of a parsed field with its own type; null where it can't be read.

    Money with more digits after the point than are kept can't be read. Spark writes the number 0.0001 as 1.0E-4: an
    exponent is read where no digit can hide behind it. Fifteen digits are what a binary fraction keeps of a number.
    """
    if column.type.name != "MONEY":
        return f"try_cast({parsed} AS {column.type.spark})" if _may_hide(column) else parsed
    exact = f"(instr({parsed}, '.') = 0 OR length({parsed}) - instr({parsed}, '.') <= {MONEY_SCALE})"
    plain = f"NOT contains({parsed}, 'e') AND NOT contains({parsed}, 'E')"
    kept = f"try_cast({parsed} AS {column.type.spark})"
    whole = f"{parsed} RLIKE {quoted(EXPONENT)} AND try_cast({parsed} AS decimal(38,20)) = {kept}"
    return f"(CASE WHEN {plain} THEN CASE WHEN {exact} THEN {kept} END WHEN {whole} THEN {kept} END)"


def _struct(contract: Contract, parsed: str) -> str:
    """A record's fields, each in its own type, and `_unread` where a field that may be left out was there unread."""
    read = {c: (_list if c.items is not None else typed)(c, f"{parsed}`{c}`") for c in contract.columns}
    fields = [f"'{c}', {value}" for c, value in read.items()]
    hidden = [f"{parsed}`{c}` IS NOT NULL AND {value} IS NULL" for c, value in read.items() if _may_hide(c)]
    if hidden:
        fields.append(f"'_unread', {_any(hidden)}")
    return f"named_struct({', '.join(fields)})"


def _list(column: Column, parsed: str) -> str:
    """The list with its elements in their types; null where one of them is broken."""
    assert column.items is not None
    items = f"transform({parsed}, l -> {_struct(column.items, 'l.')})"
    broken = " OR ".join(_conditions(column.items, "l."))
    return _let("`list`", items, f"CASE WHEN NOT coalesce(exists(`list`, l -> {broken}), true) THEN `list` END")


def read_event(event: Contract) -> str:
    """The event read from `value`, as a struct with each field in its own type; a list with a broken element is null.

    The value is read as the first element of a list of two, of which the other is empty. Of a value alone Spark reads
    the first object and never looks behind it: a second event in the same record would be lost in silence.

    One expression on purpose: a lambda over a list of one names a parsed value without Spark storing it in between.
    Lambdas are interpreted, and over a stored struct they look up each field's type anew at every read, which cost
    twice the parse itself.

    Of a whole number that is written 1.0, which JSON Schema calls an integer too, Spark reads nothing. Where an event
    may be broken for that alone it is read again without these zeros; no text of the event can look like that field,
    for there its quotes have backslashes.
    """
    read = _read(event, BETWEEN_BRACKETS)
    zeros = _point_zero(event)
    if not zeros:
        return read
    again = _read(event, f"regexp_replace({BETWEEN_BRACKETS}, {quoted(zeros)}, '$1')")
    lacking = " OR ".join(f"e.`{c}` IS NULL" for c in event.columns if not c.optional and (c.items or _is_count(c)))
    is_spelt_so = f"({lacking}) AND CAST(value AS STRING) RLIKE {quoted(zeros)}"
    return _let("e", read, f"CASE WHEN {is_spelt_so} THEN {again} ELSE e END")


def plain_text(event: Contract) -> str:
    """The value as text, with whole numbers written as such."""
    zeros = _point_zero(event)
    return f"regexp_replace(CAST(value AS STRING), {quoted(zeros)}, '$1')" if zeros else "CAST(value AS STRING)"


def _point_zero(event: Contract) -> str:
    """What matches a field of a whole number that is written 1.0; empty where the event has no such field."""
    parts = (event, *(c.items for c in event.columns if c.items is not None))
    names = "|".join(c for part in parts for c in part.columns if _is_count(c))
    return f'("(?:{names})"\\s*:\\s*-?[0-9]{{1,18}})[.]0+(?=\\s*[,}}])' if names else ""


def _is_count(column: Column) -> bool:
    return column.type.name == "COUNT"


def _read(event: Contract, text: str) -> str:
    both = f"from_json({text}, {quoted(f'array<{parse_ddl(event)}>')})"
    first = f"(e, i) -> CASE WHEN i = 0 THEN {_struct(event, 'e.')} END"
    # The last but one is the first only where there are just two.
    return f"try_element_at(transform({both}, {first}), -2)"


def read_leniently(event: Contract) -> str:
    """What can be read of a broken event: fields before a fault, and after it, stay."""
    return _let("e", f"from_json({plain_text(event)}, {quoted(parse_ddl(event))})", _struct(event, "e."))


def _let(name: str, value: str, body: str) -> str:
    return f"get(transform(array({value}), {name} -> {body}), 0)"


def _any(conditions: Sequence[str]) -> str:
    return "\n OR ".join(f"({c})" for c in conditions)


def _conditions(contract: Contract, prefix: str) -> list[str]:
    """Each is true where something is broken. Null stands for unknown, so every one is made two-valued."""
    broken: list[str] = []
    for column in contract.columns:
        value = f"{prefix}`{column}`"
        kept = [rule.spark(value) for rule in column.rules]
        if kept:
            missing = "false" if column.optional else "true"
            broken.append(f"coalesce(NOT ({' AND '.join(kept)}), {missing})")
        elif not column.optional:
            broken.append(f"{value} IS NULL")
    if any(map(_may_hide, contract.columns)):
        broken.append(f"coalesce({prefix}`_unread`, false)")
    broken += [f"coalesce(NOT ({_bound(rule, contract, prefix)}), true)" for rule in contract.rules]
    return broken


def _bound(rule: RowRule, contract: Contract, prefix: str) -> str:
    """The rule's condition with each column's name replaced by where its value is."""
    names = "|".join(re.escape(c) for c in contract.columns)
    return re.sub(rf"\b({names})\b", lambda raw: f"{prefix}`{raw[1]}`", rule.condition)


def is_broken(event: Contract) -> str:
    """True where a record must be refused. It names `value` and `ingested_at` of it, and `e`, made by `read_event`."""
    record = [
        "value IS NULL",
        f"octet_length(value) > {event.max_bytes}",
        "NOT is_valid_utf8(CAST(value AS STRING))",
    ]
    return _any([*record, *_conditions(event, "e.")])


def reason(event: Contract) -> str:
    """The first broken rule as ``struct<rule, sentence>``; null where nothing is broken.

    It names `value` and `ingested_at` of the record, `partly`, made by `read_leniently`, and `t`, the value read with
    `text_ddl`.
    """
    text = "CAST(value AS STRING)"
    nothing_read = " AND ".join(f"t.`{c}` IS NULL" for c in event.columns)
    what = event.event_type
    cases = [
        ("value IS NULL", "record.tombstone", f"'the record has no value; a {what} event as JSON was expected'"),
        (
            f"octet_length(value) > {event.max_bytes}", "record.oversized",
            f"concat('the event has ', octet_length(value), ' bytes; at most {event.max_bytes} are taken')",
        ),
        (
            f"NOT is_valid_utf8({text})", "record.utf8",
            "concat('the bytes are not UTF-8; the first of them are ', hex(substring(value, 1, 16)))",
        ),
        (
            f"t IS NULL OR (t.`_corrupt` IS NOT NULL AND ({nothing_read} OR NOT endswith(rtrim(t.`_corrupt`), '}}')))",
            "record.json",
            f"concat('the value is not a JSON object: ', {_shown(text)})",
        ),
        (
            f"coalesce(size(from_json({BETWEEN_BRACKETS}, 'array<string>')), 0) != 2", "record.trailing",
            f"concat('there is more behind the event; the value ends with ', {_shown(f'right({text}, 40)')})",
        ),
        *_cases(event, "partly.", "t.", ""),
    ]  # fmt: skip
    return _first(cases, fallback=("record.unreadable", f"'the value cannot be read as a {what} event'"))


Case = tuple[str, str, str]


def _cases(contract: Contract, parsed: str, text: str, path: str) -> list[Case]:
    cases: list[Case] = []
    for column in contract.columns:
        name = f"{path}{column}"
        raw, value = f"{text}`{column}`", f"{parsed}`{column}`"
        if not column.optional:
            cases.append(
                (
                    f"{raw} IS NULL",
                    f"{name}.required",
                    quoted(f"{column} is missing" + (" or is not a list" if column.items else "")),
                )
            )
        if column.items is None:
            cases.append(
                (
                    f"{raw} IS NOT NULL AND {value} IS NULL",
                    f"{name}.type",
                    _sentence(f"{column} must be {column.type.article}", raw),
                )
            )
        for rule in column.rules:
            # Of a list's elements only these rules look at more than their number; it is null where one is broken.
            kept = rule.spark(raw if column.items is not None and not rule.of_elements else value)
            shown = (
                quoted(f"{column} {rule.sentence}")
                if column.items is not None
                else _sentence(f"{column} {rule.sentence}", raw)
            )
            cases.append((f"{raw} IS NOT NULL AND NOT ({kept})", f"{name}.{rule.name.partition('(')[0]}", shown))
        if column.items is not None:
            cases.append(_element_case(column, raw, name))
    for row_rule in contract.rules:
        used = [c for c in contract.columns if re.search(rf"\b{c}\b", row_rule.condition)]
        raw = "concat_ws(', ', " + ", ".join(f"concat('{c} ', {text}`{c}`)" for c in used) + ")"
        cases.append(
            (
                f"NOT ({_bound(row_rule, contract, parsed)})",
                f"{path}{row_rule.name}",
                _sentence(row_rule.sentence, raw),
            )
        )
    return cases


def _element_case(column: Column, raw: str, name: str) -> Case:
    """A list's first broken element. It is parsed by itself: one bad element spoils a typed list as a whole."""
    items = column.items
    assert items is not None
    ddl, text = quoted(parse_ddl(items)), quoted(text_ddl(items))
    options = "map('columnNameOfCorruptRecord', '_corrupt')"
    nothing = " AND ".join(f"p.t.`{c}` IS NULL" for c in items.columns)
    cases: list[Case] = [
        (f"p.t IS NULL OR (p.t.`_corrupt` IS NOT NULL AND {nothing})", f"{name}.json", "'it is not a JSON object'"),
        *_cases(items, "p.e.", "p.t.", f"{name}."),
    ]
    typed_element = _let("r", f"from_json(s, {ddl})", _struct(items, "r."))
    read = f"transform({raw}, s -> named_struct('e', {typed_element}, 't', from_json(s, {text}, {options})))"
    reasons = f"filter(transform({read}, (p, i) -> {_first(cases, place='i')}), r -> r IS NOT NULL)"
    broken = f"get({reasons}, 0)"
    return (f"{broken} IS NOT NULL", f"={broken}.rule", f"{broken}.sentence")


def _first(cases: Sequence[Case], *, place: str = "", fallback: tuple[str, str] | None = None) -> str:
    branches = []
    for condition, rule, sentence in cases:
        message = f"concat('line ', {place} + 1, ': ', {sentence})" if place else sentence
        name = rule[1:] if rule.startswith("=") else quoted(rule)
        branches.append(f"WHEN {condition} THEN named_struct('rule', {name}, 'sentence', {message})")
    other = f" ELSE named_struct('rule', {quoted(fallback[0])}, 'sentence', {fallback[1]})" if fallback else ""
    return "CASE " + "\n ".join(branches) + other + " END"


def _shown(raw: str) -> str:
    """What was found, short enough to read; bronze keeps all of it."""
    more = f"CASE WHEN length({raw}) > {FOUND_CHARACTERS} THEN '…' ELSE '' END"
    return f"concat('\"', left({raw}, {FOUND_CHARACTERS}), {more}, '\"')"


def _sentence(expected: str, raw: str) -> str:
    return f"concat({quoted(expected + '; found ')}, {_shown(raw)})"
