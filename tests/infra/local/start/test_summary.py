"""A start tells its seven steps, and ends with a page that lives."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from itertools import chain

import pytest
from rich.console import Console

from conf import LOOPBACK, Settings
from infra.local import domains, page_check
from infra.local.domains import shop
from infra.local.errors import Failed
from infra.local.parts import here
from infra.local.stack import Stack
from infra.local.start import demo, summary
from infra.local.steps import Step, check_graph
from tests.support.page_server import Site

SEVEN = [
    "Parts started",
    "Kafka topics made",
    "Test messages sent to Kafka",
    "Customers from PostgreSQL to S3",
    "Spark streaming started",
    "products.parquet to S3",
    "Data of the stage layer processed",
]
NIGHTLY = {
    "tables": [
        {"table": "silver.shop_customers", "state": "done", "rows": 2_000, "seconds": 3.25},
        {"table": "silver.shop_products", "state": "done", "rows": 300, "seconds": 2.5},
        {"table": "gold.purchases_seller_daily", "state": "done", "rows": 900, "seconds": 9.0},
    ]
}


def seven(settings: Settings, parts: Sequence[str]) -> list[summary.Chapter]:
    return summary.chapters(settings, parts, chain.from_iterable(domains.every("CHAPTERS")))


def all_steps(settings: Settings, *, is_lite: bool = False) -> list[Step]:
    run = demo.Run(settings, Stack(settings))
    return [*demo.steps(run, Console()), *demo.last_steps(run, is_lite=is_lite)]


def test_the_seven_steps_have_these_titles_in_this_order(stack_settings: Settings) -> None:
    assert [chapter.title for chapter in seven(stack_settings, list(here(stack_settings)))] == SEVEN


@pytest.mark.parametrize("is_lite", [False, True])
def test_each_of_the_seven_is_made_of_steps_that_the_start_takes(stack_settings: Settings, is_lite: bool) -> None:
    titles = {step.title for step in all_steps(stack_settings, is_lite=is_lite)}
    wanted = {
        title for chapter in seven(stack_settings, demo.started(stack_settings, is_lite)) for title in chapter.steps
    }

    assert wanted <= titles


def test_the_steps_of_a_start_can_run(stack_settings: Settings) -> None:
    run = demo.Run(stack_settings, Stack(stack_settings))

    check_graph(demo.steps(run, Console()))
    check_graph(demo.last_steps(run, is_lite=False))


def test_they_follow_one_another_as_their_data_does(stack_settings: Settings) -> None:
    """Messages need topics, the stage needs what was put there, and the page comes after its API."""
    after = {step.title: set(step.after) for step in all_steps(stack_settings)}

    def needs(title: str) -> set[str]:
        return after[title].union(*(needs(each) for each in after[title] if each in after))

    assert {"Topics", "Kafka"} <= needs("Purchases sent")
    assert {"Shop seeded", "PostgreSQL", "Bucket"} <= needs("Customers from PostgreSQL to S3")
    stage = {"Customers from PostgreSQL to S3", "Products to S3", "Stream", "Purchases sent", "Nightly jobs"}
    assert stage <= needs(summary.STAGE)
    assert "REST API" in needs(summary.ALIVE)


def test_on_a_new_lake_the_live_answer_does_not_wait_for_minio(stack_settings: Settings) -> None:
    after = {step.title: set(step.after) for step in all_steps(stack_settings)}

    def needs(title: str) -> set[str]:
        return after[title].union(*(needs(each) for each in after[title] if each in after))

    assert stack_settings.is_lake_new
    live = needs(summary.LIVE_ANSWER)
    assert {"Kafka", "ClickHouse", "Purchases sent", "Stream"} <= live
    assert not {"MinIO's binary", "MinIO", "Bucket"} & live
    assert {"MinIO", "Bucket", "Purchases sent"} <= needs("All in the lake")

    (stack_settings.data / "minio" / "lake").mkdir(parents=True)
    after = {step.title: set(step.after) for step in all_steps(stack_settings)}
    assert {"MinIO", "Bucket"} <= needs(summary.LIVE_ANSWER), "a lake with data may shift offsets, so it is asked first"


def test_without_airflow_the_start_takes_none_of_its_steps(stack_settings: Settings) -> None:
    full, lite = (
        {step.title for step in all_steps(stack_settings, is_lite=is_lite) if "Airflow" in step.title}
        for is_lite in (False, True)
    )

    assert full == {
        "Airflow's environment", "Airflow's database", "Airflow", "Airflow's scheduler", "Airflow's reader of DAGs",
    }  # fmt: skip
    assert lite == set()


def test_each_is_told_with_its_figure_and_seconds(stack_settings: Settings) -> None:
    timings = {"Kafka": 5.0, "MinIO": 2.0, "Topics": 0.4, "Purchases sent": 3.0, "Customers from PostgreSQL to S3": 2.1,
               "Stream": 30.0, "Streaming queries": 0.1, "Products to S3": 1.0, summary.STAGE: 5.75}  # fmt: skip
    remarks = {"Topics": "6 in all, 6 new", "Purchases sent": "20,000 events", "Streaming queries": "9 queries run",
               "Customers from PostgreSQL to S3": "2,000 changed", "Products to S3": "products.parquet, 300 rows",
               summary.STAGE: "silver.shop_customers 2,000 rows"}  # fmt: skip

    lines = summary.lines(seven(stack_settings, ["kafka", "minio", "stream"]), timings, remarks)

    assert [(line.figure, line.seconds) for line in lines] == [
        ("2 parts answer", 5.0),
        ("6 in all, 6 new", 0.4),
        ("20,000 events", 3.0),
        ("2,000 changed", 2.1),
        ("9 queries run", 30.0),
        ("products.parquet, 300 rows", 1.0),
        ("silver.shop_customers 2,000 rows", 5.75),
    ]


def test_they_are_shown_numbered_and_ticked_and_what_was_not_done_is_crossed(stack_settings: Settings) -> None:
    console = Console(record=True, width=120)
    lines = summary.lines(seven(stack_settings, ["kafka"]), {"Kafka": 5.0, "Topics": 0.4}, {"Topics": "[6] in all"})
    summary.show(lines, console)
    shown = [" ".join(line.split()) for line in console.export_text().splitlines() if line.strip()]

    assert shown[0] == "What was done"
    assert shown[1:3] == ["✓ 1/7 Parts started 1 part answers 5.0 s", "✓ 2/7 Kafka topics made [6] in all 0.4 s"]
    assert shown[3:] == [f"✗ {n}/7 {title} not done" for n, title in enumerate(SEVEN[2:], 3)]


def test_the_stages_rows_are_read_from_what_the_night_says_of_itself() -> None:
    assert summary.staged(NIGHTLY) == ("silver.shop_customers 2,000 rows, silver.shop_products 300 rows", 5.75)


def test_a_night_that_loads_no_stage_is_told() -> None:
    with pytest.raises(Failed, match="The nightly jobs loaded nothing of the stage layer"):
        summary.staged({"tables": NIGHTLY["tables"][2:]})


@pytest.mark.parametrize(
    ("file", "remark"),
    [
        ({"file": "products.parquet", "became": "staged", "rows": 300}, "products.parquet, 300 rows"),
        ({"file": "products.parquet", "became": "seen", "rows": 0}, "products.parquet, taken before"),
    ],
)
def test_the_file_of_products_is_told_with_its_rows(file: dict[str, object], remark: str) -> None:
    other = {"file": "mine.csv", "became": "staged", "rows": 5}

    assert shop.staged_products({"files": [other, file], "rows": 305}) == remark


def test_a_page_that_serves_itself_and_its_events_is_alive() -> None:
    with Site() as site:
        settings = Settings(api_port=int(site.url.rstrip("/").rpartition(":")[2]))
        assert page_check.alive(settings).startswith("its first event after ")


def test_a_page_that_nobody_serves_is_not_alive() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Failed, match=r"The page is not alive: .*\./start\.sh logs api"):
        page_check.alive(Settings(api_port=port))


@pytest.mark.parametrize(
    ("answers", "fault"),
    [
        ([b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"], "/ answers 403"),
        (
            [
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n: nothing\n\n",
            ],
            "/live ends without an event",
        ),
    ],
)
def test_a_page_without_events_is_not_alive(answers: list[bytes], fault: str) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(Failed, match=fault):
            page_check.alive(Settings(api_port=server.getsockname()[1]))
        thread.join(10)
