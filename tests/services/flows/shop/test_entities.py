"""The shop's database, the stage area, Spark and ClickHouse, all real: customers and products on their whole way."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from clickhouse_connect.driver.exceptions import DatabaseError
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from conf import REPOSITORY, Settings
from conf.connect import clickhouse, postgres, s3
from infra.local.deploy import create_tables
from infra.postgres.upgrade import UnknownMigration, upgrade
from schemas.contract import entities, tables
from schemas.contract.column import PERSONAL
from schemas.derive.postgres import COLUMNS, KEYS, differences
from tests.support.commands import run_command

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]


def run(*words: str, code: int = 0) -> dict[str, Any]:
    """A command to its end: the JSON it ends with."""
    ended = run_command(*words, "--json")
    assert ended.code == code, f"{ended.out}\n{ended.err}"
    document: dict[str, Any] = json.loads(ended.out.strip().splitlines()[-1])
    return document


def ingest(*words: str, code: int = 0) -> dict[str, Any]:
    return run("ingestion.core.run", *words, code=code)


def load() -> None:
    assert {t["state"] for t in run("jobs.commands.run", "shop")["tables"]} == {"done"}


@contextmanager
def database(chosen: Settings, name: str) -> Iterator[Settings]:
    """A database of its own: the API's tests have the stack's."""
    with postgres(chosen, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            address = f"{chosen.postgres.rpartition('/')[0]}/{name}"
            yield chosen.model_copy(update={"postgres_url": SecretStr(address)})
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture(scope="module")
def own(chosen: Settings) -> Iterator[Settings]:
    """The stack, with a seeded database and a warehouse of its own, and nothing staged."""
    store = s3(chosen)
    for actual in store.list_objects(chosen.bucket, "stage/", recursive=True):
        store.remove_object(chosen.bucket, str(actual.object_name))
    with database(chosen, f"entities_{secrets.token_hex(4)}") as fresh, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAUDA_POSTGRES_URL", fresh.postgres)
        patch.setenv("SAUDA_WAREHOUSE_PREFIX", "entities")
        upgrade(fresh)
        ingest("shop.seed")
        yield fresh


@pytest.fixture(scope="module")
def shop(own: Settings) -> Iterator[psycopg.Connection[Any]]:
    """The database, to look into and to change."""
    with postgres(own, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def client(chosen: Settings) -> Iterator[Any]:
    create_tables(chosen)
    result = clickhouse(chosen)
    yield result
    result.close()


def first(connection: psycopg.Connection[Any], query: str) -> tuple[Any, ...]:
    actual = connection.execute(query).fetchone()
    assert actual is not None
    return tuple(actual)


def one(client: Any, query: str) -> tuple[Any, ...]:
    (row,) = client.query(query).result_rows
    return tuple(row)


def test_the_migrated_database_equals_its_contracts(shop: psycopg.Connection[Any]) -> None:
    cursor = shop.cursor(row_factory=dict_row)
    for entity in entities("shop"):
        table = {"table": entity.name}
        actual = differences(entity, cursor.execute(COLUMNS, table).fetchall(), cursor.execute(KEYS, table).fetchall())
        assert actual == []


def test_of_two_upgrades_at_once_one_does_it_and_the_other_finds_it_done(chosen: Settings) -> None:
    with database(chosen, f"upgrade_{secrets.token_hex(4)}") as fresh:
        with ThreadPoolExecutor(2) as pool:
            done = sorted(pool.map(upgrade, [fresh, fresh]))
        with postgres(fresh) as connection:
            actual = first(connection, "SELECT count(*) FROM sauda_migration")

    assert done == ["", "The database went from migration none to 0006."]
    assert actual == (1,)


def test_no_writer_can_forget_the_time_or_the_event(shop: psycopg.Connection[Any]) -> None:
    with shop.transaction(force_rollback=True):
        shop.execute("DELETE FROM shop.outbox")
        shop.execute("UPDATE shop.customers SET updated_at = '2020-01-01', city_name = 'Oral' "
                     "WHERE customer_id = 'C00000'")  # fmt: skip
        shop.execute("DELETE FROM shop.customers WHERE customer_id = 'C00001'")
        (updated_at,) = first(shop, "SELECT updated_at FROM shop.customers WHERE customer_id = 'C00000'")
        records = shop.execute("SELECT key, event_type, payload FROM shop.outbox ORDER BY position").fetchall()

    assert datetime.now(UTC) - updated_at < timedelta(minutes=1)
    assert [(key, kind) for key, kind, _ in records] == [
        ("customer:C00000", "shop.customer.changed"), ("customer:C00001", "shop.customer.deleted"),
    ]  # fmt: skip
    assert records[0][2]["city_name"] == "Oral"
    assert not any(set(payload) & set(PERSONAL) for _, _, payload in records)


@pytest.mark.smoke
def test_customers_and_products_arrive_and_doing_it_again_changes_nothing(
    shop: psycopg.Connection[Any], client: Any
) -> None:
    assert ingest("shop.customers")["changed"] == 2_000
    assert ingest("shop.products", "--simulated", "7")["staged"] == 1
    load()
    customers = "SELECT count(), uniqExact(customer_id), countIf(is_deleted) FROM silver.shop_customers"
    products = "SELECT count(), countIf(is_current), sum(price_amount) FROM silver.shop_products"
    (price,) = first(shop, "SELECT sum(price_amount) FROM shop.products")
    before = (one(client, customers), one(client, products))
    assert before == ((2_000, 2_000, 0), (400, 400, price))

    ingest("shop.customers")
    assert ingest("shop.products", "--simulated", "7")["seen"] == 1
    ingest("shop.customers", "--full-check")
    load()
    assert (one(client, customers), one(client, products)) == before


def test_changes_deletions_and_late_commits_become_versions(
    own: Settings, shop: psycopg.Connection[Any], client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that only the mark itself can make the next run look far enough back.
    monkeypatch.setenv("SAUDA_CUSTOMERS_OVERLAP_SECONDS", "0")
    with postgres(own) as late:
        late.execute("UPDATE shop.customers SET city_name = 'Late' WHERE customer_id = 'C00007'")
        shop.execute("UPDATE shop.customers SET city_name = 'Oral' WHERE customer_id = 'C00000'")
        # now() is when the transaction began.
        (began,) = first(late, "SELECT now()")
        assert datetime.fromisoformat(ingest("shop.customers")["watermark"]) == began
        late.commit()
    ingest("shop.customers")
    shop.execute("DELETE FROM shop.customers WHERE customer_id IN ('C00001', 'C00002')")
    with shop.transaction():
        shop.execute("ALTER TABLE shop.customers DISABLE TRIGGER touch")
        shop.execute("UPDATE shop.customers SET city_name = 'Unseen' WHERE customer_id = 'C00003'")
        shop.execute("ALTER TABLE shop.customers ENABLE TRIGGER touch")
    actual = ingest("shop.customers", "--full-check")
    assert (actual["changed"], actual["gone"]) == (1, 2)
    load()

    versions = client.query(
        "SELECT customer_id, groupArray(ifNull(city_name, '')) FROM (SELECT * FROM silver.shop_customers "
        "WHERE customer_id <= 'C00003' OR customer_id = 'C00007' ORDER BY taken_at) GROUP BY 1 ORDER BY 1"
    ).result_rows
    last = {customer_id: cities[-1] for customer_id, cities in versions}
    assert [len(cities) for _, cities in versions] == [2, 2, 2, 2, 2]
    assert last == {"C00000": "Oral", "C00001": "", "C00002": "", "C00003": "Unseen", "C00007": "Late"}
    assert one(client, "SELECT count() FROM silver.shop_customers_latest") == (1_998,)


def test_a_new_price_is_history_and_a_bad_file_a_report(
    chosen: Settings, shop: psycopg.Connection[Any], client: Any, tmp_path: Path
) -> None:
    price, seller, name, currency = first(
        shop, "SELECT price_amount, seller_id, name, currency_code FROM shop.products WHERE product_id = 'P0000'"
    )
    line = {"product_id": "P0000", "seller_id": seller, "name": name, "currency_code": currency}
    good, bad = tmp_path / "new prices.jsonl", tmp_path / "bad.jsonl"
    good.write_text(json.dumps(line | {"price_amount": str(price * 2)}))
    bad.write_text(json.dumps(line | {"price_amount": -1}))
    assert ingest("shop.products", str(bad), code=1)["files"][0]["became"] == "rejected"
    assert ingest("shop.products", str(good))["files"][0]["became"] == "staged"
    load()

    history = client.query(
        "SELECT price_amount, is_current, price_before_amount, change_pct FROM silver.shop_price_history "
        "WHERE product_id = 'P0000' ORDER BY valid_from"
    ).result_rows
    assert history == [(price, False, None, None), (price * 2, True, price, 100.0)]
    today = "SELECT price_amount FROM silver.shop_prices_today WHERE product_id = 'P0000'"
    assert one(client, today) == (Decimal(price * 2),)
    names = [str(o.object_name) for o in s3(chosen).list_objects(chosen.bucket, "stage/", recursive=True)]
    reports = [n for n in names if n.startswith("stage/rejected/products/") and n.endswith("-bad.jsonl.report.json")]
    assert len(reports) == 1
    document = json.loads(s3(chosen).get_object(chosen.bucket, reports[0]).read())
    assert (document["findings"][0]["row"], document["findings"][0]["rule"]) == (1, "price_amount.at_least")
    assert not [n for n in names if n.startswith("stage/incoming/")]


def people(connection: psycopg.Connection[Any]) -> dict[str, set[str]]:
    """Every name, e-mail address, telephone and address that the shop knows."""
    rows = connection.cursor(row_factory=dict_row).execute("SELECT * FROM shop.customers").fetchall()
    return {kind: {row[kind] for row in rows if row[kind]} for kind in PERSONAL}


def leaks(rows: Iterable[Sequence[Any]], known: dict[str, set[str]]) -> set[str]:
    """The kinds of personal data that stand in the rows, alone or within a longer text."""
    texts = {str(value) for row in rows for value in row if not isinstance(value, int | float | Decimal)}
    actual = {kind for kind, values in known.items() if texts & values}
    begins = {re.findall(r"\w+", name)[0] for name in known["name"]}
    name = re.compile("|".join(map(re.escape, known["name"])))
    # Hundreds of names are looked for only where a first word of one stands, and that not in ids and hashes.
    longer = (text for text in texts if " " in text or '"' in text)
    if any(not begins.isdisjoint(re.findall(r"\w+", text)) and name.search(text) for text in longer):
        actual.add("name")
    for kind, sign, pattern in (
        ("email", "@", r"[\w.+-]+@[\w.-]+\w"),
        ("phone", "+", r"[+]\d{7,15}"),
        ("address", ", ", r"(?:[A-Z]\w+ )+\d+, \d+"),
    ):
        if any(not known[kind].isdisjoint(re.findall(pattern, text)) for text in texts if sign in text):
            actual.add(kind)
    return actual


def test_no_query_of_bi_shows_a_person(own: Settings, shop: psycopg.Connection[Any]) -> None:
    """Whatever the user of people and BI tools may read is read to its end."""
    known = people(shop)
    assert {kind: len(values) > 100 for kind, values in known.items()} == dict.fromkeys(PERSONAL, True)
    # What is looked for would be found, also within a text.
    assert leaks(shop.execute("SELECT * FROM shop.customers").fetchall(), known) == set(PERSONAL)
    assert leaks(shop.execute("SELECT to_json(c)::text FROM shop.customers AS c").fetchall(), known) == set(PERSONAL)

    reader = clickhouse(own, reader=True)
    try:
        read = {}
        listed = reader.query(
            "SELECT database || '.' || name FROM system.tables WHERE database IN ('gold', 'silver', 'ops', 'staging') "
            # A view with parameters shows of these tables what is asked for.
            "AND NOT match(create_table_query, '[{][a-z_]+:[A-Z]') ORDER BY 1"
        ).result_rows
        for (name,) in listed:
            rows = reader.query(f"SELECT * FROM {name}").result_rows
            read[name] = len(rows)
            assert leaks(rows, known) == set(), name
        assert read["silver.shop_customers"] > 2_000
        assert read["silver.shop_customers_latest"] > 1_000
        assert {t.name for t in tables("gold") if t.clickhouse is not None} <= read.keys()
        with pytest.raises(DatabaseError, match="ACCESS_DENIED"):
            reader.query(f"SELECT * FROM deltaLake(lake, url = '{own.table_url('silver.shop_customers')}') LIMIT 1")
    finally:
        reader.close()


def test_a_database_of_the_first_migration_keeps_its_rows_and_tells_its_products_once(chosen: Settings) -> None:
    with database(chosen, f"older_{secrets.token_hex(4)}") as fresh:
        engine = create_engine(make_url(fresh.postgres).set(drivername="postgresql+psycopg"), poolclass=NullPool)
        config = Config()
        config.set_main_option("script_location", str(REPOSITORY / "infra" / "postgres" / "migrations"))
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
        engine.dispose()
        with postgres(fresh, autocommit=True) as connection:
            connection.execute("INSERT INTO shop.sellers (seller_id, name) VALUES ('s', 'S')")
            connection.execute(
                "INSERT INTO shop.products (product_id, seller_id, name, price_amount, currency_code) "
                "VALUES ('p', 's', 'Tea', 12.5, 'KZT')"
            )
            kept = connection.execute("SELECT * FROM shop.products").fetchall()
            connection.execute("DELETE FROM shop.outbox")

            assert upgrade(fresh) == "The database went from migration 0001 to 0006."
            assert connection.execute("SELECT * FROM shop.products").fetchall() == kept
            ((key, records),) = connection.execute("SELECT key, payload FROM shop.outbox").fetchall()
            assert (key, records["product_name"], records["price_amount"]) == ("product:p", "Tea", 12.5)
            assert datetime.fromisoformat(records["changed_at"]) == kept[0][-1]
            connection.execute("DELETE FROM shop.products")
            ((deleted,),) = connection.execute("SELECT payload FROM shop.outbox OFFSET 1").fetchall()
            assert deleted["product_name"] == "Tea"
            assert upgrade(fresh) == ""


def test_a_database_that_is_newer_than_the_program_is_left_alone(chosen: Settings) -> None:
    with database(chosen, f"newer_{secrets.token_hex(4)}") as fresh:
        upgrade(fresh)
        with postgres(fresh, autocommit=True) as connection:
            connection.execute("UPDATE sauda_migration SET version_num = '9999'")
            with pytest.raises(UnknownMigration, match="at migration 9999, which this program does not know"):
                upgrade(fresh)
            assert first(connection, "SELECT version_num FROM sauda_migration") == ("9999",)


def test_a_customer_that_nobody_can_read_keeps_no_other_from_the_stage(shop: psycopg.Connection[Any]) -> None:
    endless = "INSERT INTO shop.customers (customer_id, name, created_at) VALUES ('endless', 'E', '-infinity')"
    with pytest.raises(psycopg.errors.CheckViolation, match="customers_times_readable"):
        shop.execute(endless)
    # As in a database whose rows are older than the check.
    shop.execute("ALTER TABLE shop.customers DROP CONSTRAINT customers_times_readable")
    shop.execute(endless)
    shop.execute("INSERT INTO shop.customers (customer_id, name) VALUES ('ended', 'E')")
    actual = ingest("shop.customers")
    shop.execute("DELETE FROM shop.customers WHERE customer_id IN ('endless', 'ended')")

    assert actual["set_aside"] == 1
    assert actual["changed"] >= 1
