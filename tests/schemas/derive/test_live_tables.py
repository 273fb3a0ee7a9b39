"""Live tables beside their contracts: what is brought in line and what is refused, with which sentence."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from schemas.contract import Contract, Replacing
from schemas.derive import clickhouse, delta
from schemas.derive.live_tables import (
    ContractMismatch,
    apply_clickhouse,
    apply_delta,
    differences_clickhouse,
    differences_delta,
)
from schemas.derive.spark import schema_json
from tests.support.sample_contracts import SAMPLE_DAILY, SAMPLES, SAMPLES_RAW

PATH = "s3a://lake/warehouse/gold/sample_daily"
BUILD_AGAIN = (
    "It can be built again: DROP TABLE gold.sample_daily in ClickHouse, then ./start.sh job gold.sample_daily."
)
MIGRATE = "Take the contract's change back, or write a migration: new table, copy, swap; see CONTRIBUTING."


@dataclass
class Answer:
    result_rows: list[tuple[Any, ...]]


@dataclass
class Server:
    """A ClickHouse that knows its system tables and remembers what it was told to do."""

    databases: set[str] = field(default_factory=set)
    tables: dict[str, dict[str, str]] = field(default_factory=dict)
    columns: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    indexes: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)

    def hold(self, contract: Contract, engine_full: str, partition: str, sorting: str) -> None:
        self.databases.add(contract.layer)
        self.tables[contract.name] = {
            "engine_full": engine_full, "partition": partition, "sorting": sorting, "comment": contract.description,
        }  # fmt: skip
        types = clickhouse.columns(contract)
        self.columns[contract.name] = {c.name: (types[c], c.description) for c in contract.serving_columns}

    def query(self, query: str, /, *, parameters: dict[str, Any]) -> Answer:
        wanted = parameters["databases"]
        if "system.databases" in query:
            return Answer([(name,) for name in self.databases if name in wanted])
        if "system.tables" in query:
            return Answer([(*name.split("."), *facts.values()) for name, facts in self.tables.items()])
        requests = self.indexes if "system.data_skipping_indices" in query else self.columns
        return Answer([(*table.split("."), name, *facts)
                       for table, actual in requests.items() for name, facts in actual.items()])  # fmt: skip

    def command(self, cmd: str, /) -> str:
        self.commands.append(cmd)
        return ""


@pytest.fixture
def server() -> Server:
    """Holds both sample tables just as their contracts say, in the server's own spelling."""
    created = Server()
    created.hold(
        SAMPLES,
        "ReplacingMergeTree(arrival) PARTITION BY toYYYYMM(sold_on) ORDER BY (sold_on, seller_id, sample_id) "
        "TTL toDateTime(taken_at) + toIntervalDay(400) "
        "SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192",
        "toYYYYMM(sold_on)",
        "sold_on, seller_id, sample_id",
    )
    created.hold(
        SAMPLE_DAILY,
        "MergeTree PARTITION BY toYYYYMM(sold_on) ORDER BY (seller_id, sold_on) SETTINGS index_granularity = 8192",
        "toYYYYMM(sold_on)",
        "seller_id, sold_on",
    )
    return created


def refusal(server: Server) -> str:
    with pytest.raises(ContractMismatch) as caught:
        apply_clickhouse(server, [SAMPLES, SAMPLE_DAILY])
    assert server.commands == []
    return str(caught.value)


def test_nothing_is_done_where_nothing_differs(server: Server) -> None:
    assert apply_clickhouse(server, [SAMPLES, SAMPLE_DAILY, SAMPLES_RAW]) == []
    assert server.commands == []


def test_an_empty_server_gets_databases_and_tables() -> None:
    empty = Server()

    assert apply_clickhouse(empty, [SAMPLES, SAMPLE_DAILY]) == [
        "Made the ClickHouse database silver.",
        "Made the ClickHouse database gold.",
        "Made the ClickHouse table silver.samples.",
        "Made the ClickHouse table gold.sample_daily.",
    ]
    assert empty.commands == [
        clickhouse.create_database("silver"), clickhouse.create_database("gold"),
        clickhouse.create_table(SAMPLES), clickhouse.create_table(SAMPLE_DAILY),
    ]  # fmt: skip


def test_a_new_optional_column_is_added(server: Server) -> None:
    del server.columns["silver.samples"]["note"]

    assert apply_clickhouse(server, [SAMPLES]) == [
        "Added the optional column note (Nullable(String)) to the ClickHouse table silver.samples."
    ]
    assert server.commands == [clickhouse.add_column(SAMPLES, SAMPLES.column("note"))]


def test_a_new_optional_list_is_added_though_it_is_not_nullable(server: Server) -> None:
    del server.columns["silver.samples"]["headers"]

    assert len(apply_clickhouse(server, [SAMPLES])) == 1


def test_an_optional_column_that_joins_the_sorting_key_is_refused(server: Server) -> None:
    del server.columns["silver.samples"]["seller_id"]

    assert "has no column seller_id" in refusal(server)


def test_comments_follow_the_contract_without_a_word(server: Server) -> None:
    server.columns["silver.samples"]["note"] = ("Nullable(String)", "Something else.")
    server.tables["silver.samples"]["comment"] = "Something else."

    assert apply_clickhouse(server, [SAMPLES]) == []
    assert server.commands == [
        clickhouse.set_comment(SAMPLES, SAMPLES.column("note")), clickhouse.set_table_comment(SAMPLES),
    ]  # fmt: skip


def looked_up(contract: Contract, *names: str) -> Contract:
    """The contract with an index on some of its columns."""
    columns = []
    for column in contract.columns:
        result = type(column)(column)
        vars(result).update(vars(column) | {"lookup": column in names})
        columns.append(result)
    return replace(contract, columns=tuple(columns))


def test_a_new_index_is_added_and_filled(server: Server) -> None:
    wanted = looked_up(SAMPLES, "note", "colour_code")
    server.indexes["silver.samples"] = {"by_colour_code": ("colour_code", "set(1000)")}

    assert apply_clickhouse(server, [wanted]) == ["Added the index by_note to silver.samples."]
    assert server.commands == [
        "ALTER TABLE `silver`.`samples` ADD INDEX IF NOT EXISTS `by_note` `note` TYPE bloom_filter GRANULARITY 1",
        "ALTER TABLE `silver`.`samples` MATERIALIZE INDEX `by_note`",
    ]


def test_an_index_that_is_not_declared_so_is_dropped(server: Server) -> None:
    server.indexes["silver.samples"] = {"by_note": ("note", "minmax"), "by_share": ("share", "minmax")}

    assert apply_clickhouse(server, [looked_up(SAMPLES, "note")]) == [
        "Dropped the index by_share of silver.samples.", "Added the index by_note to silver.samples."
    ]  # fmt: skip
    drop = "ALTER TABLE `silver`.`samples` DROP INDEX IF EXISTS"
    assert server.commands[:2] == [f"{drop} `by_note`", f"{drop} `by_share`"]


def test_the_deduplication_window_follows_the_contract(server: Server) -> None:
    facts = server.tables["silver.samples"]
    facts["engine_full"] = facts["engine_full"].replace("= 10000", "= 100")

    assert apply_clickhouse(server, [SAMPLES]) == ["silver.samples now remembers 10000 insert tokens (before: 100)."]
    assert server.commands == [clickhouse.set_dedup_window(SAMPLES)]


def test_a_missing_required_column_is_refused(server: Server) -> None:
    del server.columns["gold.sample_daily"]["a_kzt"]

    assert refusal(server) == (
        "The ClickHouse table gold.sample_daily has no column a_kzt; the contract declares it "
        f"(Decimal(18, 4), required).\n{BUILD_AGAIN}"
    )


def test_a_surplus_column_is_refused(server: Server) -> None:
    server.columns["silver.samples"]["old"] = ("String", "")

    assert refusal(server) == (
        "The ClickHouse table silver.samples has a column old (String) that the contract does not declare.\n" + MIGRATE
    )


def test_another_type_is_refused(server: Server) -> None:
    server.columns["gold.sample_daily"]["a_kzt"] = ("Float64", "First.")

    assert refusal(server) == (
        "The ClickHouse table gold.sample_daily, column a_kzt: the live type is Float64, "
        f"the contract declares Decimal(18, 4).\n{BUILD_AGAIN}"
    )


def test_another_nullability_is_refused(server: Server) -> None:
    server.columns["silver.samples"]["colour_code"] = ("LowCardinality(String)", "Colour.")

    assert refusal(server) == (
        "The ClickHouse table silver.samples, column colour_code: the live nullability is LowCardinality(String), "
        f"the contract declares LowCardinality(Nullable(String)).\n{MIGRATE}"
    )


@pytest.mark.parametrize(
    ("fact", "live", "sentence"),
    [
        ("sorting", "sold_on, seller_id", "the live sorting key is sold_on, seller_id, "
         "the contract declares sold_on, seller_id, sample_id."),
        ("partition", "", "the live partition key is none, the contract declares toYYYYMM(sold_on)."),
        ("engine_full", "MergeTree ORDER BY x TTL toDateTime(taken_at) + toIntervalDay(400) "
         "SETTINGS non_replicated_deduplication_window = 10000",
         "the live engine is MergeTree, the contract declares ReplacingMergeTree(arrival)."),
        ("engine_full", "ReplacingMergeTree(other) ORDER BY x TTL toDateTime(taken_at) + toIntervalDay(400) "
         "SETTINGS non_replicated_deduplication_window = 10000",
         "the live engine is ReplacingMergeTree(other), the contract declares ReplacingMergeTree(arrival)."),
        ("engine_full", "ReplacingMergeTree(arrival) ORDER BY x SETTINGS non_replicated_deduplication_window = 10000",
         "the live TTL is none, the contract declares toDateTime(taken_at) + INTERVAL 400 DAY."),
    ],
)  # fmt: skip
def test_another_layout_is_refused(server: Server, fact: str, live: str, sentence: str) -> None:
    server.tables["silver.samples"][fact] = live

    assert refusal(server) == f"The ClickHouse table silver.samples: {sentence}\n{MIGRATE}"


def test_the_servers_spelling_of_an_expression_is_no_difference(server: Server) -> None:
    storage = Replacing(
        order_by=("sold_on", "seller_id", "sample_id"), partition="toYYYYMM( sold_on )", version="arrival",
        ttl="toDateTime(taken_at)+interval 400 day", dedup_window=10_000,
    )  # fmt: skip

    assert differences_clickhouse(server, [replace(SAMPLES, clickhouse=storage)]) == []


def test_nothing_is_changed_where_one_of_several_tables_is_refused(server: Server) -> None:
    del server.columns["silver.samples"]["note"]
    del server.tables["gold.sample_daily"]
    server.columns["silver.samples"]["share"] = ("String", "Share.")

    assert "column share: the live type is String, the contract declares Float64." in refusal(server)


def test_every_difference_of_a_table_is_named_and_its_remedy_once(server: Server) -> None:
    server.columns["gold.sample_daily"] = {"seller_id": ("String", "The seller.")}
    connection = differences_clickhouse(server, [SAMPLE_DAILY])

    assert [(d.table, d.column) for d in connection] == [
        ("gold.sample_daily", c) for c in ("seller_id", "sold_on", "a_kzt", "b_kzt", "c_kzt")
    ]
    assert refusal(server).count(BUILD_AGAIN) == 1
    assert str(connection[0]).endswith(BUILD_AGAIN)


def delta_fields(contract: Contract) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = schema_json(contract)["fields"]
    for one in fields:
        one["metadata"] = {"comment": contract.column(one["name"]).description}
    return fields


@dataclass
class Frame:
    rows: list[tuple[str, str]]
    fields: list[dict[str, Any]]

    @property
    def schema(self) -> Any:
        return self

    def collect(self) -> list[Any]:
        return self.rows

    def jsonValue(self) -> dict[str, Any]:
        return {"type": "struct", "fields": self.fields}


@dataclass
class Session:
    """A Spark session with one Delta table, or none."""

    fields: list[dict[str, Any]]
    properties: dict[str, str]
    problem: str = ""
    statements: list[str] = field(default_factory=list)

    def sql(self, query: str, /) -> Frame:
        if query.startswith("SHOW TBLPROPERTIES"):
            if self.problem:
                raise RuntimeError(self.problem)
            return Frame(list(self.properties.items()), [])
        if not query.startswith("SELECT"):
            self.statements.append(query)
        return Frame([], self.fields)


def live_session(contract: Contract) -> Session:
    return Session(delta_fields(contract), delta.properties(contract) | {"delta.minReaderVersion": "1"})


def test_a_delta_table_that_is_not_there_is_made() -> None:
    session = Session([], {}, problem="[DELTA_MISSING_DELTA_TABLE] `s3a://…` is not a Delta table.")

    assert apply_delta(session, SAMPLE_DAILY, PATH) == ["Made the Delta table gold.sample_daily."]
    assert session.statements == [delta.create_table(SAMPLE_DAILY, PATH)]


def test_another_problem_is_not_taken_for_a_missing_table() -> None:
    session = Session([], {}, problem="the store does not answer")

    with pytest.raises(RuntimeError, match="the store does not answer"):
        apply_delta(session, SAMPLE_DAILY, PATH)
    assert session.statements == []


def test_nothing_is_done_where_a_delta_table_equals_its_contract() -> None:
    session = live_session(SAMPLES)

    assert apply_delta(session, SAMPLES, PATH) == []
    assert session.statements == []


def test_a_new_optional_column_is_added_to_a_delta_table() -> None:
    session = live_session(SAMPLES)
    session.fields = [f for f in session.fields if f["name"] != "note"]

    assert apply_delta(session, SAMPLES, PATH) == [
        "Added the optional column note (string) to the Delta table silver.samples."
    ]
    assert session.statements == delta.add_columns(SAMPLES, PATH, ["note"])


def test_comments_and_properties_of_a_delta_table_follow_the_contract_without_a_word() -> None:
    session = live_session(SAMPLE_DAILY)
    session.fields[2]["metadata"] = {}
    session.properties = {"delta.enableDeletionVectors": "false", "delta.dataSkippingNumIndexedCols": "0"}

    assert apply_delta(session, SAMPLE_DAILY, PATH) == []
    assert session.statements == [
        delta.set_comment(PATH, SAMPLE_DAILY.column("a_kzt")),
        delta.set_properties(PATH, {"delta.dataSkippingStatsColumns": "sold_on"}),
        delta.unset_properties(PATH, ["delta.dataSkippingNumIndexedCols"]),
    ]


@pytest.mark.parametrize(
    ("column", "changes", "sentence"),
    [
        ("a_kzt", {"type": "double"}, ", column a_kzt: the live type is double, the contract declares decimal(18,4)."),
        ("a_kzt", {"nullable": True},
         ", column a_kzt: the live nullability is optional, the contract declares required."),
        ("a_kzt", {"name": "old"}, " has no column a_kzt; the contract declares it (decimal(18,4), required).\n"
         "The Delta table gold.sample_daily has a column old (decimal(18,4)) that the contract does not declare."),
    ],
)  # fmt: skip
def test_another_delta_table_is_refused(column: str, changes: dict[str, Any], sentence: str) -> None:
    session = live_session(SAMPLE_DAILY)
    next(f for f in session.fields if f["name"] == column).update(changes)

    with pytest.raises(ContractMismatch) as caught:
        apply_delta(session, SAMPLE_DAILY, PATH)

    assert str(caught.value) == (
        f"The Delta table gold.sample_daily{sentence}\n"
        f"It can be built again: delete {PATH}, then ./start.sh job gold.sample_daily."
    )
    assert session.statements == []


def test_a_silver_delta_table_needs_a_migration() -> None:
    fields = [f for f in delta_fields(SAMPLES) if f["name"] != "share"]

    assert [d.remedy for d in differences_delta(fields, SAMPLES)] == [MIGRATE]
