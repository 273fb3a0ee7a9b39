"""Programs of other people ask ClickHouse as `reader`, with what their drivers set by themselves."""

from __future__ import annotations

from decimal import Decimal

import clickhouse_connect
import pytest
import sqlalchemy
from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from conf import Settings
from tests.support import jdbc

pytestmark = [pytest.mark.services, pytest.mark.beside]

TYPED = "2026-01-02 | 2026-01-02T03:04:05.678901Z | 950.5000 | true | -3 | null | алма"
DATABASES = ("silver", "gold", "ops")
CORRELATED = (
    "SELECT seller_id, (SELECT max(sold_on) FROM gold.purchases_seller_daily AS d WHERE d.seller_id = s.seller_id) "
    "FROM gold.top_sellers AS s LIMIT 3"
)


@pytest.mark.parametrize("version", ["0.9.2", "0.9.9", "0.10.0"])
def test_jdbc(chosen: Settings, version: str) -> None:
    host, port = chosen.clickhouse
    actual = jdbc.query_facts(
        chosen, version, f"jdbc:clickhouse://{host}:{port}/gold", chosen.secrets.clickhouse_reader
    )

    assert "FAILED" in actual.pop("written")
    assert {name: value for name, value in actual.items() if "FAILED" in value} == {}
    assert actual["version"].startswith(version)
    assert set(DATABASES) < set(actual["schemas"].strip("[]").split(", "))
    assert min(int(actual[f"columns of {name}"]) for name in ("silver", "gold")) > 100
    assert actual["columns without a remark"] == "[]"
    assert actual["types"] == TYPED
    assert actual["many rows"] == "100000"
    assert (actual["prepared"], actual["rows and seconds limited"], actual["correlated"]) == ("0", "true", "true")
    assert int(actual["view with parameters"]) == 8


def engine(chosen: Settings, database: str) -> sqlalchemy.Engine:
    host, port = chosen.clickhouse
    return sqlalchemy.create_engine(
        sqlalchemy.URL.create(
            "clickhousedb", "reader", chosen.secrets.clickhouse_reader, host=host, port=port, database=database
        )
    )


@pytest.mark.parametrize("database", DATABASES)
def test_sqlalchemy_reflects_every_table_and_view(chosen: Settings, database: str) -> None:
    reached = engine(chosen, database)
    meta = sqlalchemy.MetaData()
    meta.reflect(reached, views=True)
    with reached.connect() as connection:
        names = connection.execute(
            sqlalchemy.text("SELECT name FROM system.tables WHERE database = currentDatabase()")
        ).scalars()
        assert {table.name for table in meta.tables.values()} == set(names)
        if database == "gold":
            place = sqlalchemy.select(meta.tables["top_sellers"].c.place).limit(1)
            assert connection.execute(place).scalar() in (1, None)
    assert [table.name for table in meta.tables.values() if not table.columns] == []
    reached.dispose()


def test_python_over_http_and_over_tcp(chosen: Settings) -> None:
    host, port = chosen.clickhouse
    login = {"password": chosen.secrets.clickhouse_reader, "host": host}
    typed = "SELECT toDecimal64(950.5, 4), 'алма', NULL::Nullable(Int8)"
    with clickhouse_connect.get_client(username="reader", port=port, **login) as http:
        assert http.query(typed).result_rows == [(Decimal("950.5"), "алма", None)]
        assert len(http.query(CORRELATED).result_rows) <= 3
        assert http.query("SELECT number FROM numbers(100000)").row_count == 100_000
    for compression in (False, "lz4", "lz4hc"):
        native = Client(user="reader", port=chosen.port("clickhouse_tcp"), compression=compression, **login)
        assert native.execute(typed) == [(Decimal("950.5"), "алма", None)]
        assert len(native.execute("SELECT number FROM numbers(100000)")) == 100_000
        assert len(native.execute(CORRELATED)) <= 3
        with pytest.raises(Error, match=r"readonly|privileges"):
            native.execute("DROP TABLE gold.purchases_seller_daily")
        native.disconnect()
