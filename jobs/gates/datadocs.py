"""Data Docs: pages of what was judged in the last runs, written by Great Expectations, readable without a network.

    data-docs/index.html                            the runs, newest first: tables and what they do not keep
    data-docs/<run>/<table>.html                    every expectation of a table, by column
    data-docs/<run>/run.json                        what the index shows of the run

The library's own site takes its look from seven places in the internet and fills its index by a script from there. So
only its pages' content is used, in a frame of our own. What it writes into a page as it comes (our sentences, values
that were seen) is made safe before.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from jobs.gates.gates import GateResult
from schemas.contract import Contract

INDEX, RUN = "index.html", "run.json"
ABANDONED_SECONDS = 24 * 3600
STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 75rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884 }
td div { overflow-wrap: anywhere }
.text-success, .passed { color: #2a9d4a } .text-danger, .stopped { color: #d33 } .warned { color: #c80 }
.fa-check-circle::before { content: "\\2713" } .fa-times::before, .fa-exclamation-triangle::before { content: "\\2717" }
i { font-style: normal } h5 { margin: 1.5rem 0 0; font-size: 1rem }
""".strip()
# Of the library's page only what says something: its frame is a dozen addresses of scripts and styles.
FRAME = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ page_title }}</title><style>{{ style }}</style></head>
<body><p><a href="../index.html">All runs</a></p>
{% for section in sections %}{% set section_loop = loop %}{% include 'section.j2' %}{% endfor %}
</body></html>
"""


@dataclass(frozen=True)
class Line:
    """A table in the index: how many expectations it was judged by, and a sentence for each that it does not keep."""

    table: str
    rows: int
    checked: int
    stopped: Sequence[str]
    warned: Sequence[str]


@dataclass
class DataDocs:
    """The site, in a folder of its own, and a run that adds to it. The newest `keep` runs stay."""

    folder: Path
    run_id: str
    keep: int
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self._lines: list[Line] = []
        # Of its own, so that pages are written while Spark computes.
        self._writer = ThreadPoolExecutor(1, "data-docs")
        self._written: list[Future[None]] = []

    def add(self, table: Contract, gate_result: GateResult) -> None:
        """Add a table's page; it is written beside what goes on."""
        violations = gate_result.verdicts
        sentences = ([str(v) for v in violations if v.stops], [str(v) for v in violations if not v.stops])
        self._lines.append(Line(table.name, gate_result.facts.rows, gate_result.checked, *sentences))
        self._written.append(self._writer.submit(self._write, table, gate_result))

    def close(self) -> None:
        """Wait for the pages, write the index, drop old runs. Raises what kept a page from being written."""
        self._writer.shutdown()
        for written in self._written:
            written.result()
        if not self._lines:
            return
        lines = [vars(line) for line in sorted(self._lines, key=lambda line: line.table)]
        summary = {"run_id": self.run_id, "began": self.began.isoformat(timespec="seconds"), "tables": lines}
        with self._alone():
            (self.folder / self.run_id / RUN).write_text(json.dumps(summary, ensure_ascii=False), encoding="utf-8")
            self._list_runs()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep the runs of other domains from listing the runs at the same time."""
        with (self.folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _list_runs(self) -> None:
        runs = sorted((json.loads(f.read_text(encoding="utf-8")) for f in self.folder.glob(f"*/{RUN}")), key=_began)
        shown = runs[-self.keep :][::-1]
        kept = {run["run_id"] for run in shown}
        for folder in self.folder.iterdir():
            if folder.is_dir() and folder.name not in kept and ((folder / RUN).exists() or _is_abandoned(folder)):
                shutil.rmtree(folder)
        (self.folder / INDEX).write_text(index(shown), encoding="utf-8")

    def _write(self, table: Contract, gate_result: GateResult) -> None:
        _annotate(gate_result)
        shown = self._pages.render(self._content.render(gate_result.validation), style=STYLE)
        page = self.folder / self.run_id / f"{table.name}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(shown, encoding="utf-8")

    @cached_property
    def _content(self) -> Any:
        from great_expectations.render.renderer import ValidationResultsPageRenderer

        return ValidationResultsPageRenderer()

    @cached_property
    def _pages(self) -> Any:
        from great_expectations.render.view import DefaultJinjaPageView
        from jinja2 import ChoiceLoader, DictLoader

        pages = DefaultJinjaPageView()
        pages.env.loader = ChoiceLoader([DictLoader({"page.j2": FRAME}), pages.env.loader])
        return pages


def _annotate(gate_result: GateResult) -> None:
    """Put what was seen into the library's result: it was asked for no more than yes and no."""
    verdicts = {verdict.gate: verdict for verdict in gate_result.verdicts}
    wanted = {e.name: e.wanted.format(**gate_result.known) for e in gate_result.expectations}
    for result in gate_result.validation.results:
        name = result.expectation_config.meta["name"]
        seen = gate_result.seen.get(name, wanted[name])
        if verdict := verdicts.get(name):
            seen = f"{verdict.seen}; wanted {verdict.wanted}"
            seen += f"; for example {verdict.example}" if verdict.example else ""
        result.result = {"observed_value": escape(seen)}
        result.expectation_config.description = escape(result.expectation_config.meta["sentence"])


def _is_abandoned(folder: Path) -> bool:
    """Whether a killed run has left it; a run of another domain may be writing into a young one."""
    return time.time() - folder.stat().st_mtime > ABANDONED_SECONDS


def _began(run: dict[str, Any]) -> str:
    return str(run["began"])


def index(runs: Sequence[dict[str, Any]]) -> str:
    """The page of all runs."""
    parts = [
        f"<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
        f"content='width=device-width'><title>Data Docs</title><style>{STYLE}</style></head><body>",
        "<h1>What the gates found</h1>",
    ]
    for run in runs:
        parts.append(f"<h5>{escape(run['began'])}, run {escape(run['run_id'])}</h5><table>")
        parts.append("<tr><th></th><th>table</th><th>rows</th><th>expectations</th><th>not kept</th></tr>")
        parts += [_row(run["run_id"], Line(**line)) for line in run["tables"]]
        parts.append("</table>")
    return "\n".join([*parts, "</body></html>"])


def _row(run_id: str, line: Line) -> str:
    outcome = "stopped" if line.stopped else "warned" if line.warned else "passed"
    sentences = [f"<div class='stopped'>{escape(s)}</div>" for s in line.stopped]
    sentences += [f"<div class='warned'>{escape(s)}</div>" for s in line.warned]
    link = f"<a href='{escape(run_id)}/{escape(line.table)}.html'>{escape(line.table)}</a>"
    return (
        f"<tr><td class='{outcome}'>{outcome}</td><td>{link}</td><td>{line.rows:,}</td><td>{line.checked}</td>"
        f"<td>{''.join(sentences)}</td></tr>"
    )
