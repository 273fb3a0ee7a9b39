"""Which version of a Delta table stands, by its log alone."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from minio.error import S3Error

from conf import Settings
from jobs.core.lake import S3Lake

LOG = "warehouse/gold/sales/_delta_log/"


@dataclass
class Object:
    object_name: str


class Answer(io.BytesIO):
    def release_conn(self) -> None:
        pass


@dataclass
class FakeS3:
    """Lists and reads as S3 does; remembers from where it was asked to list."""

    files: dict[str, bytes] = field(default_factory=dict)
    listed_from: list[str | None] = field(default_factory=list)

    def list_objects(self, bucket: str, prefix: str, start_after: str | None) -> Iterator[Object]:
        assert bucket == "lake"
        self.listed_from.append(start_after)
        return (Object(f) for f in sorted(self.files) if f.startswith(prefix) and f > (start_after or ""))

    def get_object(self, _bucket: str, name: str) -> Answer:
        if name not in self.files:
            raise S3Error(None, "NoSuchKey", "", name, "", "")  # type: ignore[arg-type]
        return Answer(self.files[name])


def lake(files: dict[str, bytes]) -> tuple[S3Lake, FakeS3]:
    made, s3 = S3Lake(Settings()), FakeS3({LOG + name: content for name, content in files.items()})
    vars(made)["_s3"] = s3
    return made, s3


def commit(version: int) -> str:
    return f"{version:020d}.json"


def version(files: dict[str, Any]) -> int | None:
    return lake(files)[0].version("gold.sales")


def test_the_newest_commit_counts() -> None:
    assert version({commit(n): b"{}" for n in range(12)}) == 11


def test_no_log_is_no_table() -> None:
    assert version({}) is None


def test_what_is_no_commit_does_not_count() -> None:
    names = [
        *(commit(3), ".tmp/00000000000000000007.json.tmp", "00000000000000000006.crc"),
        *("00000000000000000009.checkpoint.parquet", f"{1:020d}.{8:020d}.compacted.json"),
    ]
    assert version(dict.fromkeys(names, b"")) == 3


def test_a_long_log_is_listed_from_its_checkpoint_on() -> None:
    files = {commit(n): b"{}" for n in range(45)} | {"_last_checkpoint": b'{"version":40,"size":9}'}
    made, s3 = lake(files)

    assert made.version("gold.sales") == 44
    assert s3.listed_from == [LOG + "0" * 18 + "40"]


def test_a_log_whose_commits_were_cleaned_up_to_the_checkpoint() -> None:
    assert version({"_last_checkpoint": b'{"version":40}'}) == 40
