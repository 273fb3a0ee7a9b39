"""Rows of outside registers, read as the silver tables say (`at`): pure DataFrame functions.

A register's JSON is loose: ids come as numbers or texts, sums as texts, times without a zone. So every field is read as
the text that it was written with, and typed by its column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conf.spark import PERSON_SECRET, REGISTER_ZONE
from schemas.contract import Column, Contract
from schemas.derive.person import hashed
from schemas.derive.quarantine import BETWEEN_BRACKETS
from schemas.ops.envelope import Envelope
from schemas.rules import quoted
from streaming.parse import ARRIVAL, ENVELOPE, SOURCE
from streaming.registry import Branch

OPEN_ENDS = ("1999-01-01 00:00:00", "0000-00-00 00:00:00", "0000-00-00")
"""What registers write for "not yet" and "never"."""
HASHED = (("code",), ("person",))
"""Masks that make a hash: of a code that is a person's, of whatever it is."""
_MADE_ELSEWHERE = {c for c in vars(Envelope) if not c.startswith("_")} | {"line_no", "times_text"}
# The fifth digit of a BIN is 4, 5 or 6; in an IIN it begins the day of birth.
_PERSON = "'^[0-9]{4}[0-3][0-9]{7}$'"
_HAS_ZONE = "'(Z|[+-][0-9]{2}:?[0-9]{2})$'"


def header(name: str) -> str:
    """A Kafka header as text."""
    return f"CAST(get(filter(headers, h -> h.key = {quoted(name)}), 0).value AS STRING)"


EVENT_TYPE = header("ce_type")


@dataclass(frozen=True)
class Reading:
    """One silver table's way of reading rows, with what of the session it depends on."""

    silver: Contract
    zone: str
    secret: str

    @cached_property
    def columns(self) -> list[Column]:
        return [c for c in self.silver.columns if c not in _MADE_ELSEWHERE]

    @cached_property
    def schema(self) -> str:
        """What `from_json` reads: the fields that columns name, each as text, and the list of which rows are made."""
        tokens = [t for c in self.columns for t in (*c.at, *(c.mask if c.mask not in HASHED else ()))]
        names = {token for token in tokens if token[0] not in "@="}
        prefix = f"{self.silver.rows_at}."
        inner = sorted({n.removeprefix(prefix) for n in names if self.silver.rows_at and n.startswith(prefix)})
        fields = [f"`{n}`: string" for n in sorted(names) if "." not in n]
        if inner:
            fields.append(f"`{self.silver.rows_at}`: array<struct<{', '.join(f'`{n}`: string' for n in inner)}>>")
        return f"struct<{', '.join(fields)}>"

    def text(self, column: Column) -> str:
        """The column's value as it was written: of its fields the first that is filled."""
        return self._filled(column.at)

    def _filled(self, tokens: Sequence[str]) -> str:
        return f"coalesce({', '.join([*map(self._field, tokens), 'CAST(NULL AS STRING)'])})"

    def _field(self, token: str) -> str:
        if token.startswith("="):
            return quoted(token[1:])
        if token == "@type":
            return f"substring_index({EVENT_TYPE}, '.', -1)"
        if token.startswith("@"):
            return f"nullif({header(token[1:])}, '')"
        outer, dot, inner = token.partition(".")
        return f"nullif(trim(l.`{inner}`), '')" if dot else f"nullif(trim(e.`{outer}`), '')"

    def value(self, column: Column) -> str:
        """The column's value with its type; null where it cannot be read."""
        text = self.text(column)
        if column.mask:
            return self._masked(column, text)
        kind = column.type.name
        if kind == "COUNT":
            return f"try_cast({text} AS BIGINT)"
        if kind == "NUMBER":
            return f"try_cast({text} AS DOUBLE)"
        if kind == "MONEY":
            return f"try_cast(round(try_cast({text} AS DECIMAL(38, 10)), 4) AS DECIMAL(18, 4))"
        if kind == "FLAG":
            yes, no = (f"lower({text}) IN {words}" for words in (("1", "true"), ("0", "false")))
            return f"CASE WHEN {yes} THEN true WHEN {no} THEN false END"
        if kind == "INSTANT":
            local = f"to_utc_timestamp(try_cast({text} AS TIMESTAMP), {quoted(self.zone)})"
            zoned = f"CASE WHEN {text} RLIKE {_HAS_ZONE} THEN try_cast({text} AS TIMESTAMP) ELSE {local} END"
            return f"CASE WHEN NOT {self._is_open(text)} THEN {zoned} END"
        if kind == "DAY":
            return f"CASE WHEN NOT {self._is_open(text)} THEN try_cast(left({text}, 10) AS DATE) END"
        return text

    def _is_open(self, text: str) -> str:
        return f"coalesce({text} IN ({', '.join(map(quoted, OPEN_ENDS))}), false)"

    def _masked(self, column: Column, text: str) -> str:
        if column.mask == ("person",):
            return f"CASE WHEN {text} IS NOT NULL THEN {hashed(self.secret, text)} END"
        if column.mask == ("code",):
            return f"CASE WHEN {text} RLIKE {_PERSON} THEN {hashed(self.secret, text)} ELSE {text} END"
        return f"CASE WHEN coalesce({self._filled(column.mask)} RLIKE {_PERSON}, false) THEN NULL ELSE {text} END"

    def unread(self, column: Column) -> str:
        """Whether something stands there that cannot be read."""
        text = self.text(column)
        open_end = f" AND NOT {self._is_open(text)}" if column.type.name in ("INSTANT", "DAY") else ""
        return f"({text} IS NOT NULL{open_end} AND {self.value(column)} IS NULL)"

    def may_be_unread(self, column: Column) -> bool:
        return column.type.spark != "string"

    @cached_property
    def row(self) -> str:
        """The row as a struct, null where a rule is broken. It names `e`, and `l` where a list's elements are rows."""
        values = ", ".join(f"{quoted(c)}, {self.value(c)}" for c in self.columns)
        times = [c for c in self.columns if c.type.name == "INSTANT" and any(t[0] not in "@=" for t in c.at)]
        texts = ", ".join(f"{quoted(c)}, {self.text(c)}" for c in times)
        return f"named_struct({values}, 'times_text', to_json(named_struct({texts})))"

    @cached_property
    def broken(self) -> str:
        wrong = [f"{self.value(c)} IS NULL" for c in self.columns if not c.optional]
        wrong += [self.unread(c) for c in self.columns if c.optional and self.may_be_unread(c)]
        return " OR ".join(f"({w})" for w in wrong)

    @cached_property
    def reason(self) -> str:
        """The first broken rule of a row as ``struct<rule, sentence>``, null where there is none."""
        cases = []
        for c in self.columns:
            text = self.text(c)
            if not c.optional:
                looked = ", ".join(token for token in c.at if token[0] != "=")
                missing = quoted(f"{c} is missing; it was looked for in {looked}")
                cases.append((f"{text} IS NULL", f"{c}.required", missing))
            if self.may_be_unread(c):
                expected = quoted(f"{c} must be {c.type.article}; found ")
                cases.append((self.unread(c), f"{c}.type", f"concat({expected}, '\"', left({text}, 80), '\"')"))
        branches = " ".join(f"WHEN {w} THEN {_why(rule, said)}" for w, rule, said in cases)
        return f"CASE {branches} END"


def _why(rule: str, sentence: str) -> str:
    return f"named_struct('rule', {quoted(rule)}, 'sentence', {sentence})"


def _reading(raw: DataFrame, silver: Contract) -> Reading:
    conf = raw.sparkSession.conf
    return Reading(silver, str(conf.get(REGISTER_ZONE, "UTC")), str(conf.get(PERSON_SECRET, "")))


def _read(raw: DataFrame, reading: Reading, most_bytes: int) -> DataFrame:
    """Adds `e`: the record's fields as texts; null for what is no JSON object, oversized, or not UTF-8."""
    sound = f"octet_length(value) <= {most_bytes} AND is_valid_utf8(CAST(value AS STRING))"
    both = f"CASE WHEN {sound} THEN from_json({BETWEEN_BRACKETS}, {quoted(f'array<{reading.schema}>')}) END"
    return raw.withColumn("both", F.expr(both)).withColumn("e", F.expr("CASE WHEN size(both) = 2 THEN both[0] END"))


def exploded(raw: DataFrame, silver: Contract, most_bytes: int) -> DataFrame:
    """One row per row of the silver table, as `line`, with the envelope; one with a null line for a refused record."""
    reading = _reading(raw, silver)
    read = _read(raw, reading, most_bytes)
    if silver.rows_at:
        listed = f"e.`{silver.rows_at}`"
        lines = f"transform({listed}, l -> {reading.row})"
        sound = f"size({listed}) > 0 AND NOT exists({listed}, l -> l IS NULL OR {reading.broken})"
    else:
        lines, sound = f"array({reading.row})", f"e IS NOT NULL AND NOT ({reading.broken})"
    kept = read.selectExpr(
        *ENVELOPE, "headers", "value", f"CASE WHEN coalesce({sound}, false) THEN {lines} END AS kept"
    )
    every = kept.selectExpr(*ENVELOPE, "headers", "value", "posexplode_outer(kept) AS (line_no, line)")
    return every.withColumn("line_no", F.col("line_no").cast("bigint")).withColumn("arrival", F.expr(ARRIVAL))


def clean(lines: DataFrame, silver: Contract) -> DataFrame:
    """The table's rows, all columns but the batch's number."""
    own = [c for c in silver.columns if c == "times_text" or c not in _MADE_ELSEWHERE]
    return lines.select(*ENVELOPE, "line_no", "arrival", *(F.col(f"line.`{c}`").alias(c) for c in own))


def refused(raw: DataFrame, silver: Contract, most_bytes: int) -> DataFrame:
    """The records that break a rule, with the rule and its sentence."""
    reading = _reading(raw, silver)
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
        cases.append((f"coalesce(size(e.`{listed}`), 0) < 1", f"{listed}.some", quoted(f"{listed} has no elements")))
        within = f"get(filter(transform(e.`{listed}`, l -> {reading.reason}), r -> r IS NOT NULL), 0)"
    else:
        within = reading.reason
    branches = " ".join(f"WHEN {w} THEN {_why(rule, said)}" for w, rule, said in cases)
    other = _why("record.unreadable", "'the value cannot be read as a row of this register'")
    why = f"CASE {branches} ELSE coalesce({within}, {other}) END"
    judged = _read(raw, reading, most_bytes).withColumn("why", F.expr(why))
    return _told(judged, "why.rule", "why.sentence")


def unknown(raw: DataFrame) -> DataFrame:
    """Records that no table takes: pages that the client could not read, and types that nobody declared."""
    reason, url = header("reason"), header("url")
    rule = f"CASE WHEN {reason} IS NULL THEN 'record.unknown_type' ELSE 'page.unreadable' END"
    nobody = f"concat('no table takes events of the type \"', coalesce({EVENT_TYPE}, ''), '\"')"
    sentence = f"CASE WHEN {reason} IS NULL THEN {nobody} ELSE concat_ws('; ', {reason}, {url}) END"
    return _told(raw, rule, sentence)


def _told(judged: DataFrame, rule: str, sentence: str) -> DataFrame:
    return judged.select(
        *ENVELOPE,
        F.expr(ARRIVAL).alias("arrival"),
        F.expr(rule).alias("rule"),
        F.expr(sentence).alias("sentence"),
        "value",
        F.expr(f"coalesce({header('url')}, {SOURCE})").alias("source"),
    )


def branch(silver: Contract) -> Branch:
    """How a table that says where its columns are read from (`at`, `fed_by`) is filled."""
    (bronze,) = silver.built_from
    (source,) = bronze.built_from
    return Branch(
        silver,
        partial(exploded, silver=silver, most_bytes=source.max_bytes),
        partial(clean, silver=silver),
        partial(refused, silver=silver, most_bytes=source.max_bytes),
        frozenset(silver.fed_by),
    )
