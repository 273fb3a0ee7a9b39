"""The site that shows what the gates found."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs.core.conform import conform
from jobs.gates.datadocs import DataDocs
from jobs.gates.gates import GateResult, validate_rows
from tests.support.sample_contracts import SAMPLE_DAILY

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.usefixtures("interpreted")

ODD = "<b>s1</b> & $sons"


@pytest.fixture(scope="module")
def broken(spark: SparkSession) -> GateResult:
    """A table with one row that breaks a rule, of a seller whose name is no friend of HTML."""
    ddl = ", ".join(f"{c} {c.type.spark}" for c in SAMPLE_DAILY.columns)
    values = (ODD, date(2026, 1, 1), Decimal(-3), Decimal(1), Decimal(-4))
    rows = conform(spark.createDataFrame([values], ddl), SAMPLE_DAILY)
    return validate_rows(rows, SAMPLE_DAILY, {"fewest_rows": 2, "most_rows": 3})


class Read(HTMLParser):
    """What a person sees of a page, and what a browser would fetch for it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.fetched: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.fetched += [str(value) for name, value in attrs if name == "src" or (name == "href" and tag == "link")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


def write(folder: Path, run: str, gate_result: GateResult, day: int = 1, keep: int = 3) -> None:
    docs = DataDocs(folder, run, keep, datetime(2026, 1, day, tzinfo=UTC))
    docs.add(SAMPLE_DAILY, gate_result)
    docs.close()


def test_a_page_shows_what_is_not_kept_in_our_words(broken: GateResult, tmp_path: Path) -> None:
    write(tmp_path, "run1", broken)
    page = Read((tmp_path / "run1" / "gold.sample_daily.html").read_text(encoding="utf-8"))

    assert "a_kzt must be at least 0" in page.text
    assert f"1 rows; wanted 0 rows; for example seller_id {ODD}, sold_on 2026-01-01, a_kzt -3.0000" in page.text
    assert "the number of rows must be near that of the day before" in page.text
    assert "1; wanted 2 to 3" in page.text
    assert "b_kzt must be at least 0" in page.text, "what is kept is shown too"
    assert "An unexpected Exception occurred" not in page.text


def test_pages_fetch_nothing_and_run_nothing(broken: GateResult, tmp_path: Path) -> None:
    write(tmp_path, "run1", broken)
    for name in ("index.html", "run1/gold.sample_daily.html"):
        page = Read((tmp_path / name).read_text(encoding="utf-8"))
        assert page.fetched == []
        assert not page.tags & {"script", "iframe", "b"}


def test_the_index_shows_the_last_runs_newest_first(broken: GateResult, tmp_path: Path) -> None:
    for name in ("killed", "running"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / "killed", (0, 0))
    for day in (2, 1, 3, 4):
        write(tmp_path, f"run{day}", broken, day)
    index = Read((tmp_path / "index.html").read_text(encoding="utf-8"))

    assert re.findall(r"run (run\d)", index.text) == ["run4", "run3", "run2"]
    assert sorted(f.name for f in tmp_path.iterdir()) == [
        ".lock", "index.html", "run2", "run3", "run4", "running",
    ]  # fmt: skip
    assert f"a_kzt must be at least 0; 1 rows do not keep this, for example seller_id {ODD}" in index.text
    document = json.loads((tmp_path / "run4" / "run.json").read_text(encoding="utf-8"))
    assert [(t["table"], t["rows"], len(t["stopped"]), len(t["warned"])) for t in document["tables"]] == [
        ("gold.sample_daily", 1, 1, 1)
    ]


def test_a_run_that_judged_nothing_leaves_the_site_as_it_is(broken: GateResult, tmp_path: Path) -> None:
    write(tmp_path, "run1", broken)
    before = (tmp_path / "index.html").read_text(encoding="utf-8")
    DataDocs(tmp_path, "run2", 3).close()

    assert (tmp_path / "index.html").read_text(encoding="utf-8") == before
    assert not (tmp_path / "run2").exists()
