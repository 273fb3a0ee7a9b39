"""The catalogue."""

from itertools import pairwise
from pathlib import Path

import pytest

from schemas.contract import events, tables
from schemas.derive import docs


def test_the_catalogue_is_current() -> None:
    assert docs.CATALOGUE.read_text(encoding="utf-8") == docs.catalogue(), f"refresh it: {docs.REFRESH}"


def test_every_contract_and_column_is_in_it() -> None:
    page = docs.catalogue()

    for table in tables():
        section = page.partition(f"\n### {table.name}\n")[2].partition("\n### ")[0]
        assert table.description in section
        for column in table.columns if table.delta else table.serving_columns:
            assert f"| `{column}` | {column.type} |" in section
    for event in events():
        assert f"\n### Event `{event.event_type}`\n" in page


def test_every_link_within_the_page_has_its_heading() -> None:
    page = docs.catalogue()
    headings = {line.lstrip("# ").lower().replace("`", "").replace(".", "").replace(" ", "-")
                for line in page.splitlines() if line.startswith("#")}  # fmt: skip
    targets = {link.partition(")")[0] for link in page.split("](#")[1:]}

    assert len(targets) >= len(tables())
    assert targets <= headings


def test_rows_of_a_table_have_as_many_cells_as_its_head() -> None:
    lines = docs.catalogue().splitlines()
    rows = [(above, line) for above, line in pairwise(lines) if line.startswith("|") and above]

    assert rows
    for above, line in rows:
        assert line.replace("\\|", "").count("|") == above.replace("\\|", "").count("|")


def test_a_rule_that_only_warns_says_so() -> None:
    assert "must be at least 1 (only a warning)" in docs.catalogue()


def view(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}.sql"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return folder


def test_views_are_listed_with_their_question(tmp_path: Path) -> None:
    page = docs.catalogue(view(tmp_path, "gold/aa_sellers", "-- Which sellers sold most?\nSELECT 1\n"))

    assert (
        "## Views\n\nViews in ClickHouse, each an answer to a question.\n\n| view | question |\n| --- | --- |\n"
        "| [gold.aa_sellers](../../infra/clickhouse/views/gold/aa_sellers.sql) | Which sellers sold most? |\n"
    ) in page
    assert "| [gold.customers_by_day](../../schemas/purchases/views.py) | How many customers " in page


@pytest.mark.parametrize("text", ["SELECT 1\n", "--\nSELECT 1\n", ""])
def test_a_view_without_a_question_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"the first line of odd\.sql must be a comment with the question it answers"):
        docs.catalogue(view(tmp_path, "gold/odd", text))


def test_check_says_how_to_refresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "catalogue.md"
    monkeypatch.setattr(docs, "CATALOGUE", file)

    assert docs.main(["--check"]) == 1
    assert capsys.readouterr().err == f"{docs.NAME} is out of date; refresh it: python -m schemas.derive.docs\n"
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    assert docs.main([]) == 0
    assert capsys.readouterr().out == f"{docs.NAME} is written\n{docs.NAME} is as it was\n"
