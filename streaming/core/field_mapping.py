"""Rows of outside registers, read as the silver tables say (`source_fields`): pure DataFrame functions.

The JSON of registers is loose: ids come as numbers or texts, sums as texts, times without a zone. So every field is
read as text, as it was written, and gets its type from its column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conf.spark import PERSON_SECRET, TIME_ZONE
from schemas.common.envelope import Envelope
from schemas.common.pseudonym import HASH, hashed
from schemas.contract import Column, Contract
from schemas.contract.rules import quoted
from schemas.contract.types import RATE_TEXT
from schemas.derive.quarantine import BETWEEN_BRACKETS
from streaming.core import parse
from streaming.core.domain import Branch
from streaming.core.parse import ARRIVAL, ENVELOPE, SOURCE

OPEN_ENDS = "'^((1999-01-01|0000-00-00)([T ]00:00:00([.]0+)?)?)?$'"
"""What registers write for "not yet" and "never", as a regular expression that takes an empty text too."""
HASHED = (("code",), ("person",))
"""Masks that make a hash: of a code that is a person's, of whatever it is."""
_NOT_MAPPED = {c for c in vars(Envelope) if not c.startswith("_")} | {"line_no", "times_text"}
_HAS_ZONE = "'(Z|[+-][0-9]{2}:?[0-9]{2})$'"
Named = Callable[[str], str]
"""Returns the name of a text or a value in the stage before."""


@dataclass(frozen=True)
class Reading:
    """One silver table's way of reading rows, with what of the session it depends on.

    It has stages, each a projection of its own, so that nothing is computed twice: the fields as texts, from these the
    values, from both whether a rule is broken. Texts and values are named after their column: `t:lot_id`, `v:lot_id`.
    """

    silver: Contract
    zone: str
    secret: str
    person_code: str = ""
    """A regular expression for the codes that are a person's."""

    @cached_property
    def columns(self) -> list[Column]:
        return [c for c in self.silver.columns if c not in _NOT_MAPPED]

    @cached_property
    def schema(self) -> str:
        """The schema for `from_json`: the fields that columns name, as texts, and the list whose elements are rows."""
        tokens = [t for c in self.columns for t in (*c.source_fields, *(c.mask if c.mask not in HASHED else ()))]
        names = {token for token in tokens if token[0] not in "@="}
        prefix = f"{self.silver.rows_at}."
        inner = sorted({n.removeprefix(prefix) for n in names if self.silver.rows_at and n.startswith(prefix)})
        fields = [f"`{n}`: string" for n in sorted(names) if "." not in n]
        if inner:
            fields.append(f"`{self.silver.rows_at}`: array<struct<{', '.join(f'`{n}`: string' for n in inner)}>>")
        return f"struct<{', '.join(fields)}>"

    @cached_property
    def texts(self) -> dict[str, str]:
        """By name, the first of a column's fields that is filled, as it was written.

        Of times the first that is no open end, and as `w:` what stands there; as `m:` what tells whether to mask.
        """
        texts = {}
        for c in self.columns:
            texts[f"t:{c}"] = _first(self._field(t, _is_time(c)) for t in c.source_fields)
            if c in self._times:
                texts[f"w:{c}"] = _first(self._field(t) for t in c.source_fields)
            if c.mask and c.mask not in HASHED:
                texts[f"m:{c}"] = _first(map(self._field, c.mask))
        return texts

    @cached_property
    def _times(self) -> list[Column]:
        """Those that the register itself wrote."""
        return [c for c in self.columns if c.type.name == "INSTANT" and any(t[0] not in "@=" for t in c.source_fields)]

    def _field(self, token: str, is_time: bool = False) -> str:
        if token.startswith("="):
            return quoted(token[1:])
        if token == "@type":
            return "substring_index(event_type, '.', -1)"
        if token.startswith("@"):
            return f"nullif({parse.header(token[1:])}, '')"
        outer, dot, inner = token.partition(".")
        text = f"trim(l.`{inner}`)" if dot else f"trim(e.`{outer}`)"
        return f"CASE WHEN NOT {text} RLIKE {OPEN_ENDS} THEN {text} END" if is_time else f"nullif({text}, '')"

    def values(self, text: Named) -> dict[str, str]:
        """By name: each column's value with its type, null where it cannot be read; and the times as they stood."""
        values = {f"v:{c}": self._value(c, text) for c in self.columns}
        written = ", ".join(f"{quoted(c)}, {text(f'w:{c}')}" for c in self._times)
        return values | {"v:times_text": f"to_json(named_struct({written}))"}

    def _value(self, column: Column, named: Named) -> str:
        text, kind = named(f"t:{column}"), column.type.name
        if column.mask:
            return self._masked(column, named)
        if kind == "COUNT":
            return f"try_cast({text} AS BIGINT)"
        if kind == "NUMBER":
            return f"try_cast({text} AS DOUBLE)"
        if kind == "MONEY":
            # More digits after the point than money has are refused, never cut; noughts are no digits.
            money = f"try_cast({text} AS DECIMAL(18, 4))"
            return f"CASE WHEN {money} = try_cast({text} AS DECIMAL(38, 24)) THEN {money} END"
        if kind == "RATE":
            # An exponent, or a digit more than is kept, would be rounded without a word.
            plain = f"{text} RLIKE {quoted(RATE_TEXT)} AND {text} RLIKE '[1-9]'"
            return f"CASE WHEN {plain} THEN try_cast({text} AS {column.type.spark}) END"
        if kind == "FLAG":
            yes, no = (f"lower({text}) IN {words}" for words in (("1", "true"), ("0", "false")))
            return f"CASE WHEN {yes} THEN true WHEN {no} THEN false END"
        if kind == "INSTANT":
            local = f"to_utc_timestamp(try_cast({text} AS TIMESTAMP), {quoted(self.zone)})"
            zoned = f"WHEN {text} RLIKE {_HAS_ZONE} THEN try_cast({text} AS TIMESTAMP)"
            return f"CASE WHEN {_is_kept(text)} THEN CASE {zoned} ELSE {local} END END"
        if kind == "DAY":
            return f"CASE WHEN {_is_kept(text)} THEN try_cast(left({text}, 10) AS DATE) END"
        return text

    def _masked(self, column: Column, named: Named) -> str:
        text = named(f"t:{column}")
        if column.mask == ("person",):
            return f"CASE WHEN {text} IS NOT NULL THEN {hashed(self.secret, text)} END"
        if column.mask == ("code",):
            is_person = f"{text} RLIKE {quoted(f'^({self.person_code})$')}"
            return f"CASE WHEN {is_person} THEN {hashed(self.secret, text)} ELSE {text} END"
        # Some persons come under a hash already.
        pattern = quoted(f"^({self.person_code}|{HASH})$")
        return f"CASE WHEN coalesce({named(f'm:{column}')} RLIKE {pattern}, false) THEN NULL ELSE {text} END"

    @cached_property
    def judged_by_text(self) -> list[Column]:
        """Columns whose text may be unreadable."""
        return [c for c in self.columns if c.type.spark != "string"]

    def _unread(self, column: Column, named: Named) -> str:
        return f"({named(f't:{column}')} IS NOT NULL AND {named(f'v:{column}')} IS NULL)"

    def broken(self, named: Named) -> str:
        """Whether a rule is broken."""
        wrong = [f"{named(f'v:{c}')} IS NULL" for c in self.columns if not c.optional]
        wrong += [self._unread(c, named) for c in self.judged_by_text if c.optional]
        return " OR ".join(f"({w})" for w in wrong)

    def reason(self, named: Named) -> str:
        """The first broken rule of a row as ``struct<rule, sentence>``, null where there is none."""
        cases = []
        for c in self.columns:
            text = named(f"t:{c}")
            if not c.optional:
                sources = ", ".join(token for token in c.source_fields if token[0] != "=")
                missing = quoted(f"{c} is missing; it was looked for in {sources}")
                cases.append((f"{text} IS NULL", f"{c}.required", missing))
            if c in self.judged_by_text:
                expected = quoted(f"{c} must be {c.type.article}; found ")
                sentence = f"concat({expected}, '\"', left({text}, 80), '\"')"
                cases.append((self._unread(c, named), f"{c}.type", sentence))
        branches = " ".join(f"WHEN {w} THEN {_why(rule, text)}" for w, rule, text in cases)
        return f"CASE {branches} END"


def _first(texts: Iterable[str]) -> str:
    return f"coalesce({', '.join([*texts, 'CAST(NULL AS STRING)'])})"


def _is_kept(text: str) -> str:
    """Whether a time is in the years 1900 to 2299: ClickHouse would show another time for all others."""
    return f"left({text}, 2) IN ('19', '20', '21', '22')"


def _is_time(column: Column) -> bool:
    return column.type.name in ("INSTANT", "DAY")


def _why(rule: str, sentence: str) -> str:
    return f"named_struct('rule', {quoted(rule)}, 'sentence', {sentence})"


def _reading(raw: DataFrame, silver: Contract, person_code: str) -> Reading:
    conf = raw.sparkSession.conf
    zone = str(conf.get(TIME_ZONE + silver.domain, "UTC"))
    return Reading(silver, zone, str(conf.get(PERSON_SECRET)), person_code)


def _column(name: str) -> str:
    return f"`{name}`"


def _element(name: str) -> str:
    return f"x.`{name}`"


def _struct(fields: Mapping[str, str]) -> str:
    return f"named_struct({', '.join(f'{quoted(name)}, {sql}' for name, sql in fields.items())})"


def _staged(raw: DataFrame, reading: Reading, most_bytes: int) -> DataFrame:
    """Adds `e`, the record's fields as texts (null for what is no JSON object, oversized, or not UTF-8), and its texts
    and values: a column each, or where a list's elements are rows, `elements` with a struct for each element."""
    sound = f"octet_length(value) <= {most_bytes} AND is_valid_utf8(CAST(value AS STRING))"
    both = f"CASE WHEN {sound} THEN from_json({BETWEEN_BRACKETS}, {quoted(f'array<{reading.schema}>')}) END"
    read = raw.withColumn("both", F.expr(both)).withColumn("e", F.expr("CASE WHEN size(both) = 2 THEN both[0] END"))
    carried = (*ENVELOPE, "event_type", "headers", "value", "e")
    if listed := reading.silver.rows_at:
        texts = f"transform(e.`{listed}`, l -> {_struct(reading.texts)})"
        kept = {name: _element(name) for name in reading.texts if name[0] == "t"}
        values = f"transform(texts, x -> {_struct(kept | reading.values(_element))})"
        return read.selectExpr(*carried, f"{texts} AS texts").selectExpr(*carried, f"{values} AS elements")
    texts_read = read.selectExpr(*carried, *(f"{sql} AS `{name}`" for name, sql in reading.texts.items()))
    kept_texts = (_column(name) for name in reading.texts if name[0] == "t")
    typed = (f"{sql} AS `{name}`" for name, sql in reading.values(_column).items())
    return texts_read.selectExpr(*carried, *kept_texts, *typed)


def exploded(raw: DataFrame, silver: Contract, most_bytes: int, person_code: str = "") -> DataFrame:
    """One row per row of the silver table, as `line`, with the envelope; one with a null line for a refused record."""
    reading = _reading(raw, silver, person_code)
    staged = _staged(raw, reading, most_bytes)
    if listed := silver.rows_at:
        lines = "elements"
        whole = f"size(elements) > 0 AND NOT exists(e.`{listed}`, l -> l IS NULL)"
        sound = f"{whole} AND NOT exists(elements, x -> {reading.broken(_element)})"
    else:
        lines = f"array({_struct({name: _column(name) for name in reading.values(_column)})})"
        sound = f"e IS NOT NULL AND NOT ({reading.broken(_column)})"
    kept = staged.selectExpr(
        *ENVELOPE, "headers", "value", f"CASE WHEN coalesce({sound}, false) THEN {lines} END AS kept"
    )
    every = kept.selectExpr(*ENVELOPE, "headers", "value", "posexplode_outer(kept) AS (line_no, line)")
    return every.withColumn("line_no", F.col("line_no").cast("bigint")).withColumn("arrival", F.expr(ARRIVAL))


def clean(lines: DataFrame, silver: Contract) -> DataFrame:
    """The table's rows, all columns but the batch's number."""
    own = [c for c in silver.columns if c == "times_text" or c not in _NOT_MAPPED]
    return lines.select(*ENVELOPE, "line_no", "arrival", *(F.expr(f"line.`v:{c}`").alias(c) for c in own))


def refused(raw: DataFrame, silver: Contract, most_bytes: int, person_code: str = "") -> DataFrame:
    """The records that break a rule, with the rule and its sentence."""
    reading = _reading(raw, silver, person_code)
    text = "CAST(value AS STRING)"
    shown = f"concat('\"', left({text}, 80), '\"')"
    cases = [
        ("value IS NULL", "record.tombstone", "'the record has no value; a row as JSON was expected'"),
        (
            f"octet_length(value) > {most_bytes}", "record.oversized",
            f"concat('the row has ', octet_length(value), ' bytes; at most {most_bytes} are taken')",
        ),
        (f"NOT is_valid_utf8({text})", "record.utf8", "'the bytes are not UTF-8'"),
        ("e IS NULL", "record.json", f"concat('the value is not one JSON object: ', {shown})"),
    ]  # fmt: skip
    if listed := silver.rows_at:
        cases.append(
            (f"coalesce(size(e.`{listed}`), 0) < 1", f"{listed}.min_items", quoted(f"{listed} has no elements"))
        )
        within = f"get(filter(transform(elements, x -> {reading.reason(_element)}), r -> r IS NOT NULL), 0)"
    else:
        within = reading.reason(_column)
    branches = " ".join(f"WHEN {w} THEN {_why(rule, text)}" for w, rule, text in cases)
    other = _why("record.unreadable", "'the value cannot be read as a row of this register'")
    why = f"CASE {branches} ELSE coalesce({within}, {other}) END"
    judged = _staged(raw, reading, most_bytes).withColumn("why", F.expr(why))
    return _refusals(judged, "why.rule", "why.sentence")


def unknown(raw: DataFrame) -> DataFrame:
    """Records that no table takes: pages that the client could not read, and types that no table declares."""
    reason, url = parse.header("reason"), parse.header("url")
    rule = f"CASE WHEN {reason} IS NULL THEN 'record.unknown_type' ELSE 'page.unreadable' END"
    nobody = "concat('no table takes events of the type \"', coalesce(event_type, ''), '\"')"
    sentence = f"CASE WHEN {reason} IS NULL THEN {nobody} ELSE concat_ws('; ', {reason}, {url}) END"
    return _refusals(raw, rule, sentence)


def _refusals(judged: DataFrame, rule: str, sentence: str) -> DataFrame:
    return judged.select(
        *ENVELOPE,
        F.expr(ARRIVAL).alias("arrival"),
        F.expr(rule).alias("rule"),
        F.expr(sentence).alias("sentence"),
        "value",
        F.expr(f"coalesce({parse.header('url')}, {SOURCE})").alias("source"),
    )


def branch(silver: Contract, person_code: str = "") -> Branch:
    """How a table that says where its columns are read from (`source_fields`, `fed_by`) is filled.

    Raises ValueError where it masks persons by their codes, and nothing says which codes are a person's.
    """
    (bronze,) = silver.built_from
    (source,) = (source for source in bronze.built_from if source.kind == "feed")
    masked = [c for c in silver.columns if c.mask and c.mask != ("person",)]
    if masked and not person_code:
        raise ValueError(f"{silver.name}: {masked[0]} is masked by a person's code; person_code= says which codes are")
    reads = partial(exploded, silver=silver, most_bytes=source.max_bytes, person_code=person_code)
    refuses = partial(refused, silver=silver, most_bytes=source.max_bytes, person_code=person_code)
    return Branch(silver, reads, partial(clean, silver=silver), refuses, frozenset(silver.fed_by))
