"""``--try``: shows how a file of purchases would be read, and writes the mapping that reads it so. Sends nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from conf import Settings
from ingestion.core.errors import Unreadable
from ingestion.files.csv_rows import CsvFile
from ingestion.files.workbook import shown_cell
from ingestion.purchases.feed import PurchasesFile
from ingestion.purchases.guess import LayoutGuess, as_dict, guess
from ingestion.purchases.layout import RowFile, row_file
from ingestion.purchases.mapping import FIELDS as NAMES
from ingestion.purchases.mapping import Mapping, load_mapping
from schemas.contract import contract
from schemas.derive.validation import Reader
from schemas.purchases.events import PurchaseEvent

ROWS, REASONS = 10, 10
CURRENCY, OPEN = "currency_code", "?"
FIELDS = ("purchase_id", "purchased_at", "product_id", "description", "quantity", "unit_price", "customer_id")
NAMED = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars"}
BLANK = Mapping.model_construct(columns={}, delimiter=None, encoding="", sheet="")


@dataclass(frozen=True)
class MappingTrial:
    """What was asked: a file, and what the user knows of it."""

    file: Path
    mapping: Path | None
    encoding: str
    out: Path | None
    overwrite: bool
    seller: str
    currency: str

    def run(self, settings: Settings) -> int:
        """Show it. 0: it can be loaded as shown; 2: something is to be said first. Raises Unreadable."""
        if self.mapping:
            mapping = load_mapping(self.mapping)
            self._show(mapping)
            click.echo(f"\nNothing was sent. Load it so:\n  {self._command(self.mapping)}")
            return 0
        file = row_file(self.file, BLANK, self.encoding)
        file.look_whole()
        layout_guess = guess(file, self.seller, self.currency)
        _say_form(file, layout_guess)
        _say_columns(layout_guess)
        if proposed := _mapping(layout_guess, settings.shop_time_zone, self.encoding):
            self._show(proposed)
        target = self._write(toml(layout_guess, settings.shop_time_zone, self.encoding))
        if layout_guess.open:
            click.echo("\nTo be said before it can be loaded:")
            for sentence in layout_guess.open:
                click.echo(f"  {sentence}")
            if all(sentence.startswith("currency_code") for sentence in layout_guess.open):
                click.echo("Look again with it:")
                click.echo(f"  {self._again()} --currency KZT --overwrite")
            else:
                click.echo(f"Fill it in in {target} (docs/reference/mapping.md has every key), and look again:")
                click.echo(f"  {self._command(target)} --try")
            return 2
        click.echo(f"Nothing was sent. Load it so:\n  {self._command(target)}")
        return 0

    def _command(self, mapping: Path) -> str:
        encoding = f" --encoding {self.encoding}" if self.encoding and self.mapping else ""
        return f"./start.sh ingest purchases.file {_quoted(self.file)} --mapping {_quoted(mapping)}{encoding}"

    def _again(self) -> str:
        options = [("--seller", self.seller), ("--encoding", self.encoding), ("--out", str(self.out or ""))]
        given = "".join(f" {name} {_quoted(Path(value))}" for name, value in options if value)
        return f"./start.sh ingest purchases.file {_quoted(self.file)} --try{given}"

    def _write(self, text: str) -> Path:
        target = self.out or self.file.with_name(f"{self.file.name.split('.')[0]}.mapping.toml")
        try:
            return self._written(target, text)
        except OSError:
            if self.out:
                raise
            # Beside the file nothing may be written.
            return self._written(Path(target.name), text)

    def _written(self, target: Path, text: str) -> Path:
        if target.exists() and not self.overwrite:
            if target.read_text("utf-8") != text:
                click.echo(
                    f"\n{target} is there already, differs from what is shown here, and was left as it is: --overwrite "
                    "replaces it, --out NAME writes another."
                )
            return target
        target.write_text(text, "utf-8")
        click.echo(f"\nThe mapping was written: {target}")
        return target

    def _show(self, mapping: Mapping) -> None:
        """The rows as they would be read, and what would become of them."""
        problems: list[str] = []
        feed = PurchasesFile(self.file, problems.append, mapping=mapping, encoding=self.encoding)
        notes, problems[:] = list(problems), []
        rows, refused, count, reasons = list[dict[str, Any]](), list[str](), 0, Counter[str]()
        reader, now = Reader(contract(PurchaseEvent)), datetime.now(UTC)
        for message in feed.messages():
            body = orjson.loads(message.value or b"")
            if len(rows) < ROWS:
                rows += [{**body, **line, "lines": None} for line in body["lines"]]
            findings = [f for f in reader.read(body, now)[1] if body["currency_code"] != OPEN or f.path != (CURRENCY,)]
            if findings:
                count += 1
                reasons[findings[0].rule] += 1
                place = body["source"].rpartition(":")[2]
                if len(refused) < REASONS:
                    named = _short(body["purchase_id"])
                    refused.append(f"line {_lines(place)}, purchase {named}: {findings[0].sentence}")
        _say_rows(rows[:ROWS])
        click.echo(f"\n{_counted(feed.total, 'purchase')} with {_counted(feed.rows, 'row')} would be sent.")
        for sentence in notes:
            click.echo(f"  {sentence}")
        for sentence in problems:
            click.echo(f"  {sentence}")
        if count:
            kinds = ", ".join(f"{rule} {seen:,}" for rule, seen in reasons.most_common(3))
            click.echo(f"{count:,} of these purchases would be refused and kept in quarantine ({kinds}):")
            for sentence in refused:
                click.echo(f"  {sentence}")
            if count > len(refused):
                click.echo("  …")
        else:
            click.echo("None would be refused.")


def _lines(place: str) -> str:
    first, _, last = place.partition("-")
    return first if first == last else f"{first} to {last}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _short(value: Any, most: int = 40) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else text[: most - 1] + "…"


def _quoted(path: Path) -> str:
    text = str(path)
    return text if text.replace("/", "").replace(".", "").replace("-", "").replace("_", "").isalnum() else f"'{text}'"


def _say_form(file: RowFile, layout_guess: LayoutGuess) -> None:
    parts = []
    if isinstance(file, CsvFile):
        parts = [
            file.chosen.removesuffix("-sig"),
            f"columns set apart by {NAMED.get(layout_guess.delimiter, layout_guess.delimiter)}",
        ]
    else:
        parts = ["a workbook"]
    parts.append(f"header on line {layout_guess.header.first:,}")
    if layout_guess.decimal_mark:
        parts.append("decimal comma" if layout_guess.decimal_mark == "," else "decimal point")
    if layout_guess.date_format:
        parts.append(f"times as {' or '.join(layout_guess.date_format)}")
    click.echo(f"{file.name}: {', '.join(parts)}.")


def _say_columns(layout_guess: LayoutGuess) -> None:
    click.echo("\n  field          is taken from")
    for name, names in sorted(layout_guess.columns.items(), key=lambda item: NAMES.index(item[0])):
        click.echo(f"  {name:14} {' + '.join(names) or '(not found)'}{_why(layout_guess, name)}")
    for constant, value in layout_guess.constants.items():
        constant_text = f"always {value!r}" if value else "(not known)"
        click.echo(f"  {constant:14} {constant_text}{_why(layout_guess, constant)}")
    for column, values in layout_guess.skip.items():
        counted = ", ".join(f"{value} ({layout_guess.statuses[value]:,})" for value in values)
        click.echo(f"  left out       rows whose {column} is {counted}")
    for column, why in layout_guess.assumed.items():
        if column not in layout_guess.columns and column not in layout_guess.constants:
            click.echo(f"  assumed        {column}: {why}")
    if layout_guess.fill_down:
        click.echo(f"  filled down    {', '.join(layout_guess.fill_down)}: an empty cell means what stands above")
    if layout_guess.unused:
        click.echo(
            f"  not used       {', '.join(layout_guess.unused[:12])}{', …' if len(layout_guess.unused) > 12 else ''}"
        )


def _why(layout_guess: LayoutGuess, name: str) -> str:
    return f"   ({layout_guess.assumed[name]})" if name in layout_guess.assumed else ""


def _say_rows(rows: list[dict[str, Any]]) -> None:
    shown = [name for name in FIELDS if any(row.get(name) not in (None, "") for row in rows)]
    cells = [[_short(shown_cell(str(row.get(name, "") or "")), 26) for name in shown] for row in rows]
    for row, line in zip(rows, cells, strict=True):
        line.append(_short(row.get("currency_code") or "", 5))
        line.append(_short(row.get("seller_id") or "", 20))
    heads = [*shown, "currency", "seller_id"]
    widths = [max(len(line[at]) for line in [heads, *cells]) for at in range(len(heads))]
    click.echo(f"\nThe first {len(rows)} rows as they would be read:" if len(rows) > 1 else "\nAs it would be read:")
    for line in [heads, *cells]:
        click.echo("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _mapping(layout_guess: LayoutGuess, timezone: str, encoding: str) -> Mapping | None:
    """The mapping with what is open filled in for the showing; None where too much is."""
    fields = as_dict(layout_guess, timezone)
    fields["constants"] = {name: value or OPEN for name, value in layout_guess.constants.items()}
    if any(names == ("",) for names in layout_guess.columns.values()):
        return None
    return Mapping.model_validate(fields | {"encoding": encoding})


def toml(layout_guess: LayoutGuess, timezone: str, encoding: str = "") -> str:
    """The mapping as a file, with a word on what was assumed."""
    lines = ["# How ./start.sh ingest purchases.file reads this kind of file. Every key: docs/reference/mapping.md", ""]
    lines += list(_form(layout_guess, timezone, encoding))
    lines.append("\n[columns]")
    named = sorted(layout_guess.columns.items(), key=lambda item: NAMES.index(item[0]))
    lines += [f"{name} = {_value(names)}{_note(layout_guess, name)}" for name, names in named]
    lines.append("\n[constants]")
    lines += [f"{name} = {_value(value)}{_note(layout_guess, name)}" for name, value in layout_guess.constants.items()]
    if layout_guess.skip:
        lines.append("\n# Rows with these values are left out, counted and named.\n[skip]")
        lines += [
            f"{_value(name)} = {json.dumps(list(v), ensure_ascii=False)}" for name, v in layout_guess.skip.items()
        ]
    return "\n".join(lines) + "\n"


def _form(layout_guess: LayoutGuess, timezone: str, encoding: str) -> Iterator[str]:
    if encoding:
        yield f"encoding = {_value(encoding)}"
    if layout_guess.delimiter:
        yield f"delimiter = {_value(layout_guess.delimiter)}"
    if layout_guess.decimal_mark:
        yield f"decimal_mark = {_value(layout_guess.decimal_mark)}"
    elif any(sentence.startswith("decimal_mark") for sentence in layout_guess.open):
        yield 'decimal_mark = ""  # "." or ","'
    if layout_guess.choices:
        yield f'date_format = ""  # {" or ".join(map(_value, layout_guess.choices))}'
    elif layout_guess.date_format:
        yield f"date_format = {_value(layout_guess.date_format)}"
    yield f"timezone = {_value(timezone)}  # of times that name none, e.g. Asia/Almaty"
    if layout_guess.fill_down:
        yield f"fill_down = {json.dumps(list(layout_guess.fill_down))}"


def _note(layout_guess: LayoutGuess, name: str) -> str:
    return f"  # {layout_guess.assumed[name]}" if name in layout_guess.assumed else ""


def _value(value: str | tuple[str, ...]) -> str:
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    return json.dumps(value, ensure_ascii=False)


def leave(trial: MappingTrial, settings: Settings) -> None:
    """Run it and end the command with its exit code, as a user's mistake ends: in a sentence."""
    try:
        code = trial.run(settings)
    except Unreadable as problem:
        click.echo(str(problem), err=True)
        code = problem.code
    click.get_current_context().exit(code)
