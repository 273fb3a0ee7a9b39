"""The stream's lease: held at once, or on a new lake as soon as there is a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conf import Settings
from conf.lease import FileLocks, NotOurs, take_files
from streaming.core import lake_access
from streaming.core.lake_access import LakeAccess
from tests.support.waiting import until

DOMAINS = ["purchases"]


class Storage:
    """Storage that may be away; a lease of it may be refused."""

    def __init__(self) -> None:
        self.is_up, self.has_bucket, self.refusal = False, False, ""
        self.leases: list[FileLocks | None] = []
        self.closed = 0

    def s3(self, *_: Any, **__: Any) -> Any:
        if not self.is_up:
            raise OSError("refused")
        return SimpleNamespace(bucket_exists=lambda _: self.has_bucket)

    def take_lease(self, _: Settings, __: str, ___: str, ____: Any, files: FileLocks | None = None) -> Any:
        if self.refusal and files:
            files.close()
            raise NotOurs(self.refusal)
        self.leases.append(files)

        def close() -> None:
            self.closed += 1
            if files:
                files.close()

        return SimpleNamespace(check=lambda: None, close=close)


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Storage:
    storage = Storage()
    monkeypatch.setattr(lake_access, "PAUSE_SECONDS", 0.005)
    monkeypatch.setattr(lake_access, "s3", storage.s3)
    monkeypatch.setattr(lake_access, "take_lease", storage.take_lease)
    return storage


@pytest.fixture
def opened(tmp_path: Path, storage: Storage) -> Iterator[tuple[Settings, LakeAccess]]:
    settings = Settings(home=tmp_path)
    settings.run.mkdir(parents=True)
    assert not storage.is_up
    access = LakeAccess(settings, "stream", DOMAINS)
    yield settings, access
    access.close()


def test_a_lake_with_data_is_held_before_anything_begins(tmp_path: Path, storage: Storage) -> None:
    settings = Settings(home=tmp_path)
    (settings.data / "minio" / "lake").mkdir(parents=True)
    access = LakeAccess(settings, "stream", DOMAINS)
    assert access.granted.is_set()
    assert storage.leases == [None]
    access.close()
    assert storage.closed == 1


def test_on_a_new_lake_the_lease_is_taken_when_there_is_a_bucket(
    storage: Storage, opened: tuple[Settings, LakeAccess]
) -> None:
    settings, access = opened
    assert not access.granted.wait(0.05)
    with pytest.raises(NotOurs, match="The stream"):
        take_files(settings, "stream", "stream", DOMAINS)

    storage.is_up = True
    assert not access.granted.wait(0.05), "storage without a bucket is not the lake"
    storage.has_bucket = True
    assert access.granted.wait(5)
    access.check()
    (files,) = storage.leases
    assert files is not None, "the lock files go with the lease"


def test_a_lease_that_is_refused_ends_the_stream(storage: Storage, opened: tuple[Settings, LakeAccess]) -> None:
    _, access = opened
    storage.refusal = "The stream (process 7 on other) writes these tables."
    storage.is_up = storage.has_bucket = True

    def refused() -> bool:
        try:
            access.check()
        except NotOurs as error:
            return "process 7" in str(error)
        return False

    until("the refusal", refused, 5, pause=0.005)
    assert not access.granted.is_set()


def test_a_stream_that_ends_before_there_is_a_bucket_frees_its_locks(
    storage: Storage, opened: tuple[Settings, LakeAccess]
) -> None:
    settings, access = opened
    access.close()
    take_files(settings, "stream", "stream", DOMAINS).close()
    assert storage.leases == []
