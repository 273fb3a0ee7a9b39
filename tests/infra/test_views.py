"""All views, created over all tables in an empty ClickHouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.deploy import create_views
from schemas.derive import views
from tests.support.clickhouse import answers, definitions


def test_every_view_can_be_made_and_a_company_be_asked_for(tmp_path: Path) -> None:
    queries = ["SELECT count() FROM lookup.procurement_company(tax_id = '1')", "SELECT count() FROM ops.latest_checks"]

    assert [int(row[0]) for row in answers(tmp_path, [*definitions(), *queries])] == [0, 0]


def test_every_view_without_parameters_answers(tmp_path: Path) -> None:
    named = [view.name for view in views.all_views() if not view.has_parameters]
    queries = [f"SELECT '{name}', count() FROM (SELECT * FROM {name})" for name in named]

    assert [row[0] for row in answers(tmp_path, [*definitions(), *queries])] == named


def test_views_with_parameters_are_in_a_database_of_their_own() -> None:
    """BI tools ask each table of a database for its columns, and fail at one that has none yet."""
    assert [v.name for v in views.all_views() if v.has_parameters != v.name.startswith("lookup.")] == []


SILENT = """
SELECT concat(database, '.', name), '' FROM system.tables
WHERE comment = '' AND database IN ('gold', 'silver', 'ops', 'lookup')
UNION ALL
SELECT concat(database, '.', table), name FROM system.columns
WHERE comment = '' AND database IN ('gold', 'silver', 'ops', 'lookup')
"""


class Deployed:
    """A client that keeps what it is told to do; what it is asked, it knows from an empty ClickHouse."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.statements = folder, list(definitions())

    def command(self, statement: str) -> None:
        self.statements.append(statement)

    def query(self, query: str, parameters: dict[str, list[str]]) -> Deployed:
        named = query.replace("{databases:Array(String)}", str(parameters["databases"]))
        self.result_rows = answers(self.folder / "asked", [*definitions(), named])
        return self


def test_every_table_view_and_column_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "asked").mkdir()
    client = Deployed(tmp_path)
    # As it was called before it got a database of its own.
    client.command("CREATE VIEW silver.procurement_company AS SELECT {x:String} AS a")
    create_views(client)

    left = "SELECT 'left', name FROM system.tables WHERE database = 'silver' AND name = 'procurement_company'"

    assert answers(tmp_path, [*client.statements, SILENT, left]) == []


def test_a_file_describes_columns_of_its_own_below_its_question() -> None:
    text = (
        "-- What sells best? (place 1 is the best)\n-- place: Place by revenue,\n--   1 is the best.\n"
        "-- share_pct: Share of all.\n-- A remark: of no column.\nCREATE OR REPLACE VIEW gold.best AS\n"
        "-- not: a column\nSELECT seller_id FROM gold.purchases_products;\n"
    )
    view = views.parse("gold.best", text)

    assert view.question == "What sells best? (place 1 is the best)"
    assert view.columns == {"place": "Place by revenue, 1 is the best.", "share_pct": "Share of all."}
    assert view.reads == ["gold.purchases_products"]
    with pytest.raises(ValueError, match="must be a comment with the question"):
        views.parse("gold.best", "SELECT 1")
