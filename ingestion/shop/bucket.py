"""The lake's bucket, as much of it as the stage area needs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from conf import Settings
from conf.connect import s3
from ingestion.core.errors import IngestError

if TYPE_CHECKING:
    from minio import Minio


@dataclass(frozen=True)
class StoredObject:
    """An object. `changed_at` is the store's own time, `etag` its word for the content."""

    name: str
    size: int
    changed_at: datetime
    etag: str


class Bucket(Protocol):
    """Each call is whole or not at all; names are those below the bucket."""

    def read(self, name: str) -> bytes | None:
        """A small object; None where there is none."""
        ...

    def write(self, name: str, body: bytes) -> None: ...

    def upload(self, name: str, file: Path) -> None: ...

    def download(self, name: str, file: Path) -> None: ...

    def download_same(self, file: StoredObject, target: Path) -> bool:
        """Download an object unless it has been replaced since it was found, or removed; whether it was not."""
        ...

    def list_objects(self, prefix: str) -> list[StoredObject]:
        """Every object whose name begins so, in the order of names."""
        ...

    def copy(self, source: str, target: str) -> None: ...

    def remove(self, name: str) -> None: ...

    def remove_if_same(self, file: StoredObject) -> None:
        """Remove an object unless it has been replaced since it was found."""
        ...


@dataclass(frozen=True)
class S3Bucket:
    """A bucket of any S3 service."""

    client: Minio
    bucket: str

    def read(self, name: str) -> bytes | None:
        from minio.error import S3Error

        try:
            answer = self.client.get_object(self.bucket, name)
        except S3Error as error:
            if error.code == "NoSuchKey":
                return None
            raise
        try:
            body: bytes = answer.read()
            return body
        finally:
            answer.close()
            answer.release_conn()

    def write(self, name: str, body: bytes) -> None:
        self.client.put_object(self.bucket, name, io.BytesIO(body), len(body))

    def upload(self, name: str, file: Path) -> None:
        self.client.fput_object(self.bucket, name, str(file))

    def download(self, name: str, file: Path) -> None:
        self.client.fget_object(self.bucket, name, str(file))

    def download_same(self, file: StoredObject, target: Path) -> bool:
        from minio.error import S3Error

        same: dict[str, str | list[str] | tuple[str]] = {"If-Match": f'"{file.etag}"'}
        try:
            self.client.fget_object(self.bucket, file.name, str(target), request_headers=same)
        except S3Error as error:
            if error.code in ("PreconditionFailed", "NoSuchKey"):
                return False
            raise
        return True

    def list_objects(self, prefix: str) -> list[StoredObject]:
        listed = self.client.list_objects(self.bucket, prefix, recursive=True)
        return [
            StoredObject(o.object_name, o.size or 0, o.last_modified, (o.etag or "").strip('"'))
            for o in listed
            if o.object_name and o.last_modified and not o.is_dir
        ]

    def copy(self, source: str, target: str) -> None:
        from minio.commonconfig import CopySource

        self.client.copy_object(self.bucket, target, CopySource(self.bucket, source))

    def remove(self, name: str) -> None:
        self.client.remove_object(self.bucket, name)

    def remove_if_same(self, file: StoredObject) -> None:
        # S3 has no deletion under a condition: what is replaced between these two calls is lost.
        now = self.list_objects(file.name)
        if any(o.name == file.name and o.etag == file.etag for o in now):
            self.remove(file.name)


@contextmanager
def opened(settings: Settings) -> Iterator[S3Bucket]:
    """The lake's bucket. Raises IngestError where the store does not answer, or ceases to, or lacks the bucket."""
    from minio.error import MinioException
    from urllib3.exceptions import HTTPError

    bucket = S3Bucket(s3(settings), settings.bucket)
    try:
        if not bucket.client.bucket_exists(settings.bucket):
            raise IngestError(f"The store at {settings.s3} has no bucket {settings.bucket}; ./start.sh makes it.")
        yield bucket
    except (HTTPError, MinioException) as problem:
        raise IngestError(
            f"The store at {settings.s3} failed: {str(problem).splitlines()[0]}. What was finished stays; run it again "
            "when ./start.sh status shows MinIO up."
        ) from problem
