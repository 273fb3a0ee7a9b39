"""``./start.sh ingest``: events of a source into Kafka."""

from __future__ import annotations

import click

from infra.local.command_line import PASSED_ON, current, passed_on
from infra.local.stack import Stack


@click.command(context_settings=PASSED_ON)
@click.argument("source")
@click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="[FILE] [OPTIONS]")
def ingest(source: str, rest: tuple[str, ...]) -> None:
    """Send the events of a SOURCE into Kafka, e.g. purchases.file shop.csv.gz

    Sending the same file again adds nothing. A load into a collection ends with its check, which --no-check leaves out.
    The source's own options: ./start.sh ingest SOURCE -- --help
    """
    from infra.local import domains, load_check

    chosen = current()
    is_sent = not {"--help", "--dry-run", "--try"} & set(rest)
    if is_sent:
        Stack(chosen).need(*domains.of(source.partition(".")[0], "SOURCE_PARTS", ("kafka",)))
    is_checked = is_sent and "--no-check" not in rest and load_check.is_checked(source, rest)
    words = [word for word in rest if word != "--no-check"]
    code = passed_on(chosen, "ingest", ["ingestion.core.run", source, *words])
    # What did not come whole is checked too; where nothing was begun, or somebody stopped it, there is nothing new.
    if is_checked and code in (0, 1):
        code = load_check.check(chosen, source, rest) or code
    if code:
        raise SystemExit(code)
