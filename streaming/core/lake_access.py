"""The stream's right to write the lake's tables (`conf.lease`).

Where the lake is new its storage may still be on its way up, and the lease cannot be had. The live lane writes nothing
to the lake, so the stream begins with the lock files alone, which refuse a second stream of the same stack, and the
lake lanes wait for the lease.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Collection

from conf import Settings
from conf.connect import s3
from conf.lease import Lease, NotOurs, take_files, take_lease

PAUSE_SECONDS = 0.5

log = logging.getLogger("sauda.stream")


class LakeAccess:
    """The lease of these domains, held from the beginning or, on a new lake, as soon as the bucket is there.

    Raises NotOurs where another process has it.
    """

    def __init__(self, settings: Settings, doing: str, domains: Collection[str]) -> None:
        self.granted = threading.Event()
        self._settings, self._doing, self._domains = settings, doing, domains
        self._lease: Lease | None = None
        self._refused: NotOurs | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._wait, name="lake-access", daemon=True)
        if settings.is_lake_new:
            self._files = take_files(settings, "stream", doing, domains)
            self._thread.start()
        else:
            self._lease = take_lease(settings, "stream", doing, domains)
            self.granted.set()

    def check(self) -> None:
        """Raises NotOurs once another process has the tables: nothing more may be written."""
        if self._refused:
            raise self._refused
        if self._lease:
            self._lease.check()

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(5)
        if self._lease:
            self._lease.close()

    def _wait(self) -> None:
        while not self._closing.wait(PAUSE_SECONDS):
            # Storage may be in any state on its way up.
            with contextlib.suppress(Exception):
                if s3(self._settings, retries=0).bucket_exists(self._settings.bucket):
                    break
        else:
            self._files.close()
            return
        try:
            self._lease = take_lease(self._settings, "stream", self._doing, self._domains, self._files)
        except NotOurs as refused:
            self._refused = refused
            return
        log.info("the lake is there, and its tables are held")
        self.granted.set()
