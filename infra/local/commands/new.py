"""``./start.sh new``: the files of a new domain, table, source, page or red flag."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Mapping

import click

from conf import REPOSITORY

REFRESHED = ("schemas.derive.docs", "conf.reference")
"""What is made from the code, and has to follow it."""


def create(kind: str, values: Mapping[str, str], then: str) -> None:
    """Write the files, refresh the references, and say what comes next."""
    from infra.local.scaffold.write import filled, write

    paths = write(filled(kind, values), REPOSITORY)
    # Names of other lengths break lines at other places.
    if importlib.util.find_spec("ruff"):
        code = [str(path) for path in paths if path.suffix == ".py"]
        # The order of imports depends on names too.
        for words in (("check", "--select", "I", "--fix"), ("format",)):
            subprocess.run([sys.executable, "-m", "ruff", *words, "-q", *code], cwd=REPOSITORY, check=True)
    for path in paths:
        click.echo(f"wrote {path.relative_to(REPOSITORY)}")
    for module in REFRESHED:
        subprocess.run([sys.executable, "-m", module], cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
    click.echo(then)


@click.group()
def new() -> None:
    """Write the files of a new thing, with a test that passes at once. Nothing that is there is changed."""


@new.command("domain")
@click.argument("name")
def new_domain(name: str) -> None:
    """A domain NAME: settings, an event, a silver and a gold table, a source, and their tests; its DAG is generated."""
    from infra.local.scaffold import kinds

    create("domain", kinds.domain(name), f"Next: ./start.sh test -- tests/jobs/{name} tests/streaming/test_{name}.py")


@new.command("table")
@click.argument("name")
@click.option("--from", "source", default="", help="The silver table to build from.  [default: the domain's last]")
@click.option("--by", default="", help="The column whose values are the rows.  [default: the first code or id]")
def new_table(name: str, source: str, by: str) -> None:
    """A gold table NAME, e.g. gold.shop_products_by_seller: contract, transform and test."""
    from infra.local.scaffold import kinds

    values = kinds.table(name, source, by)
    create("table", values, f"Next: ./start.sh test -- tests/jobs/{values['domain']}, then ./start.sh job {name}")


@new.command("source")
@click.argument("name")
def new_source(name: str) -> None:
    """A source NAME of a domain that has a topic, e.g. shop.prices: it sends the lines of a file."""
    from infra.local.scaffold import kinds

    create("source", kinds.source(name), f"Next: ./start.sh ingest {name} FILE")


@new.command("page")
@click.argument("name")
def new_page(name: str) -> None:
    """A page NAME, at /pages/NAME and in the navigation."""
    from infra.local.scaffold import kinds

    create("page", kinds.page(name), f"Next: ./start.sh test -- tests/web/pages/test_{name}.py")


@new.command("flag")
@click.argument("code")
def new_flag(code: str) -> None:
    """A red flag CODE of procurement, e.g. r024: a class with its settings, its test and a page of documentation."""
    from infra.local.scaffold import kinds

    create("flag", kinds.flag(code), f"Next: fill in docs/reference/flags/{code.upper()}.md, then the function")
