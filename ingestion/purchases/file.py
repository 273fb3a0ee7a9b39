"""The source ``purchases.file``: its options, a trial that sends nothing, and the feed of `purchases_feed`."""

from __future__ import annotations

from pathlib import Path

import click

from ingestion.core.registry import RunContext, Source
from ingestion.purchases.feed import PurchasesFile
from ingestion.purchases.mapping import ONLINE_RETAIL, load_mapping
from ingestion.purchases.outcome import purchases_outcome

__all__ = ["SOURCE", "PurchasesFile"]


def _encoding(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        "".encode(value or "utf-8")
    except LookupError:
        raise click.BadParameter(
            f"{value!r} is unknown; utf-8, windows-1251 and latin-1 are among the known."
        ) from None
    return value


def _open(
    context: RunContext, *, file: Path, mapping: Path | None, encoding: str, is_trial: bool, out: Path | None,
    overwrite: bool, seller: str, currency: str,
) -> PurchasesFile:  # fmt: skip
    if is_trial:
        # Here, since a load needs none of it.
        from ingestion.purchases.trial import MappingTrial, leave

        leave(MappingTrial(file, mapping, encoding, out, overwrite, seller, currency), context.settings())
    context.say(f"Reading {file.name} …")
    return PurchasesFile(
        file, context.say, mapping=load_mapping(mapping) if mapping else ONLINE_RETAIL, encoding=encoding
    )


SOURCE = Source(
    "purchases.file",
    "Purchases from a file of one row per purchase line: CSV, plain or packed, or a workbook (.xlsx, .xls, .ods). "
    "--try shows how a file would be read, writes the mapping that reads it so, and sends nothing.",
    (
        click.Argument(["file"], type=click.Path(path_type=Path)),
        click.Option(
            ["--mapping"],
            type=click.Path(path_type=Path),
            help="TOML or JSON file that names the columns; docs/reference/mapping.md has every key.",
        ),
        click.Option(
            ["--encoding"], default="", callback=_encoding, help="Of the file.  [default: told from its bytes]"
        ),
        click.Option(["--try", "is_trial"], is_flag=True, help="Only show what would be read, and write the mapping."),
        click.Option(
            ["--out"], type=click.Path(path_type=Path, dir_okay=False), help="With --try: where the mapping is written."
        ),
        click.Option(["--overwrite"], is_flag=True, help="With --try: also over a mapping that is there."),
        click.Option(["--seller"], default="", help="With --try: the seller of all rows."),
        click.Option(["--currency"], default="", help="With --try: the currency of all rows."),
    ),
    _open,
    purchases_outcome,
)
