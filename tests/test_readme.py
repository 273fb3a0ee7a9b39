"""What the documents tell people to type is what ./start.sh takes. Nothing is run: only its parsers are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import click
import pytest

from api import keys
from conf import REPOSITORY
from infra.local import reference
from infra.local.command_line import cli
from infra.local.stack import Stack
from ingestion.core import run as ingestion
from jobs.commands import check, drift, reconcile, settle

PLACEHOLDER = re.compile(r"[A-Z_]+")
OR = "¦"


def text(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8").replace("\\|", OR)


def written(document: str) -> Iterator[str]:
    """What follows `./start.sh` wherever it stands as code."""
    blocks = re.findall(r"```bash\n(.*?)```", document, re.S)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", document, flags=re.S))
    for code in [*blocks, *spans]:
        for actual in re.finditer(r"""\./start\.sh((?:"[^"]*"|'[^']*'|[^"'#)\n&|])*)""", code):
            yield actual[1].strip()


def rows(document: str) -> list[list[str]]:
    """The cells of a document's tables."""
    lines = text(document).splitlines()
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines if line.startswith("|")]


def variants(command: str) -> Iterator[list[str]]:
    """The words of a command: what is optional is given, and of `a|b` each once."""
    words = [word.strip("[]") for word in shlex.split(command)]
    yield from (list(each) for each in product(*(word.split(OR) for word in words)))


GENERATED = ("docs/reference/commands.md", "docs/reference/catalogue.md")
DOCUMENTS = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for path in (REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *(REPOSITORY / "docs").rglob("*.md"))
)
COMMANDS = sorted({command for name in DOCUMENTS if name not in GENERATED for command in written(text(name))})
CASES = [pytest.param(words, id=" ".join(words) or "(none)") for command in COMMANDS for words in variants(command)]


def parse(main: click.Command, words: list[str], monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """The commands that these words call, with what they are given; a wrong word is raised as click's exception."""
    called: list[tuple[str, dict[str, Any]]] = []

    def noting(command: click.Command) -> Callable[..., None]:
        def note(*_: Any, **given: Any) -> None:
            called.append((command.name or "", given))

        return note

    def take_over(command: click.Command) -> None:
        monkeypatch.setattr(command, "callback", noting(command))
        if isinstance(command, click.Group):
            for each in commands_of(command):
                take_over(each)

    take_over(main)
    main.main(words, prog_name="./start.sh", standalone_mode=False)
    return called


def commands_of(group: click.Group) -> list[click.Command]:
    context = click.Context(group)
    return [command for name in group.list_commands(context) if (command := group.get_command(context, name))]


def taken(words: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the commands that take these words; those of the program behind ./start.sh are parsed too."""
    # Neither a stack nor the files of examples are there.
    monkeypatch.setattr(Stack, "need", lambda *_: None)
    monkeypatch.setattr(click.Path, "convert", lambda _self, value, _param, _context: value)
    for name in ("run_source", "run_collector"):
        monkeypatch.setattr(ingestion, name, lambda *_, **__: None)
    called = parse(cli, words, monkeypatch)
    name, given = called[-1]
    if name == "ingest" and not PLACEHOLDER.fullmatch(given["source"]):
        parse(ingestion.main, [given["source"], *given["rest"]], monkeypatch)
    elif name == "keys":
        parse(keys.main, list(given["rest"]), monkeypatch)
    elif name == "check":
        parse(check.main, [given["domain"], *given["options"]], monkeypatch)
    elif name == "drift":
        parse(drift.main, list(given["options"]), monkeypatch)
    elif name == "settle":
        parse(settle.main, list(given["topics"]), monkeypatch)
    elif name == "reconcile":
        parse(reconcile.main, ["--repair"] if given["repair"] else [], monkeypatch)
    return [each for each, _ in called]


@pytest.mark.parametrize("words", CASES)
def test_every_command_that_is_written_down_is_taken(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert taken(words, monkeypatch)


@pytest.mark.parametrize(
    "words",
    [
        ["statsu"], ["status", "--jsn"], ["urls", "x"], ["collection", "dorp", "x"], ["--light"],
        ["ingest", "purchases.fiel", "x.csv"], ["ingest", "purchases.file", "x.csv", "--maping", "x"],
        ["keys", "create", "x"], ["keys", "create", "x", "--scope", "all"], ["logs"],
    ],
)  # fmt: skip
def test_a_wrong_command_would_be_found(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(click.UsageError):
        taken(words, monkeypatch)


@pytest.mark.parametrize(
    "words", [["check", "procurement", "--acept"], ["drift", "--dya", "x"], ["settle", "a", "--x"]]
)
def test_a_wrong_option_of_a_job_would_be_found(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(click.UsageError):
        taken(words, monkeypatch)


def test_commands_are_found_in_blocks_spans_and_tables() -> None:
    block = '```bash\n./start.sh sql "1\n2"  # why\nk=$(./start.sh keys)\n```'
    document = "x `./start.sh` y `A=1 ./start.sh a¦b [--c D]`" + "\n" + block

    assert list(written(document)) == ['sql "1\n2"', "keys", "", "a¦b [--c D]"]
    assert list(variants("a¦b [--c D]")) == [["a", "--c", "D"], ["b", "--c", "D"]]
    assert len(COMMANDS) > 35


def test_the_reference_of_commands_is_what_the_commands_say() -> None:
    assert reference.FILE.read_text(encoding="utf-8") == reference.document(), "python -m infra.local.reference"


@pytest.mark.parametrize("document", ["docs/guides/ask.md", "docs/guides/troubleshooting.md"])
def test_no_table_has_a_line_twice(document: str) -> None:
    firsts = [row[0] for row in rows(document) if row[0] not in ("---", "symptom")]

    assert len(firsts) > 10
    assert sorted(first for first in set(firsts) if firsts.count(first) > 1) == []


def test_no_question_leads_only_where_another_leads_too() -> None:
    leads = {row[0]: set(re.findall(r"`([^`]+)`", row[-1])) for row in rows("docs/guides/ask.md") if "`" in row[-1]}
    repeated = [q for q, views in leads.items() for other, more in leads.items() if q != other and views <= more]

    assert len(leads) > 10
    assert repeated == []


@pytest.mark.parametrize("document", [*DOCUMENTS, "DECISIONS.md", "CHANGELOG.md"])
def test_every_link_leads_somewhere(document: str) -> None:
    links = re.findall(r"\]\(([^)#\s]*)(#[^)\s]*)?\)", text(document))
    lost = []
    for path, anchor in links:
        if re.match(r"https?:", path):
            continue
        target = (REPOSITORY / document).parent / path if path else REPOSITORY / document
        if not target.exists():
            lost.append(path)
        elif anchor and target.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M)
            names = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            lost += [] if anchor[1:] in names else [path + anchor]

    assert lost == []


def test_the_changelog_says_nothing_twice() -> None:
    lines = [line[:50] for line in text("CHANGELOG.md").splitlines() if line.startswith("- ")]

    assert len(lines) > 20
    assert sorted(line for line in set(lines) if lines.count(line) > 1) == []
