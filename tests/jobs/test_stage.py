"""What waits in the stage area: which files count, and which may go."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from minio.error import S3Error

from conf import Settings
from jobs.core.lake import S3Lake
from schemas.common.stage import finished_files, run_file, run_of, state_name

NOW = datetime.now(UTC)


@dataclass
class Object:
    object_name: str
    last_modified: datetime


class Answer(io.BytesIO):
    def release_conn(self) -> None:
        pass


@dataclass
class FakeS3:
    """Objects with their ages in days."""

    ages: dict[str, int]
    state: dict[str, int] | None = None
    removed: list[str] = field(default_factory=list)

    def list_objects(self, _bucket: str, prefix: str, *, recursive: bool) -> Iterator[Object]:
        assert recursive
        return (Object(n, NOW - timedelta(days=age)) for n, age in self.ages.items() if n.startswith(prefix))

    def get_object(self, _bucket: str, name: str) -> Answer:
        if self.state is None or name != state_name("customers"):
            raise S3Error(None, "NoSuchKey", "", name, "", "")  # type: ignore[arg-type]
        return Answer(json.dumps(self.state).encode())

    def remove_object(self, _bucket: str, name: str) -> None:
        self.removed.append(name)


def lake(s3: FakeS3) -> S3Lake:
    lake_of_files = S3Lake(Settings())
    vars(lake_of_files)["_s3"] = s3
    return lake_of_files


def test_a_run_counts_when_the_state_names_it() -> None:
    names = [run_file("customers", n) for n in (3, 1, 2)]

    assert finished_files("customers", names, 2) == [
        "stage/customers/run=00000001/rows.parquet", "stage/customers/run=00000002/rows.parquet",
    ]  # fmt: skip
    assert finished_files("customers", names, 0) == []


def test_only_a_runs_own_file_is_one() -> None:
    others = ["stage/customers/state.json", "stage/customers/known/run=00000001.parquet",
              "stage/products/run=00000001/rows.parquet", "stage/customers/run=00000001/rows.parquet.tmp",
              "stage/customers/run=1/rows.parquet"]  # fmt: skip

    assert [run_of("customers", name) for name in others] == [0] * 5


def test_spark_is_given_the_finished_files() -> None:
    s3 = FakeS3({run_file("customers", n): 0 for n in (1, 2, 3)}, {"run_no": 2, "full_run": 1})

    assert lake(s3).stage_files("customers") == [f"s3a://lake/{run_file('customers', n)}" for n in (1, 2)]
    assert lake(FakeS3({run_file("customers", 1): 0})).stage_files("customers") == []


def test_old_files_go_but_for_those_that_the_next_check_needs() -> None:
    ages = {1: 40, 2: 22, 3: 20, 4: 30, 5: 30}
    s3 = FakeS3({run_file("customers", n): age for n, age in ages.items()}, {"run_no": 4, "full_run": 3})
    lake(s3).tidy(None, "silver.shop_customers", 1)  # type: ignore[arg-type]

    # 3 is young, 4 came after the check, 5 is not finished.
    assert s3.removed == [run_file("customers", 1), run_file("customers", 2)]
