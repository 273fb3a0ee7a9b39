"""Finds the files that a batch's commit added to a Delta table, in the table's log.

The rows of a batch are read back several times. By Delta that costs two Spark jobs each time, to update its snapshot
and to prune files. The commit names the files, for one small read.
"""

from __future__ import annotations

import json
from urllib.parse import unquote

from conf import Settings
from conf.connect import s3
from schemas.contract import Contract


class Commits:
    """Follows one table's log from its end on."""

    def __init__(self, settings: Settings, contract: Contract, app_id: str) -> None:
        self.settings, self.app_id = settings, app_id
        self.table = settings.table_path(contract.name)
        self._client = s3(settings)
        self._log = self.table.removeprefix(f"s3a://{settings.bucket}/") + "/_delta_log/"
        self._files: dict[int, list[str]] = {}
        self._last = self._log + "0"
        for name in self._names():
            self._last = name

    def files(self, number: int) -> list[str] | None:
        """Paths of the files of batch `number`; None where it was committed before this object was created."""
        for name in self._names():
            self._last = name
            self._read(name)
        paths = self._files.get(number)
        self._files = {n: files for n, files in self._files.items() if n >= number}
        return paths

    def _names(self) -> list[str]:
        listed = self._client.list_objects(self.settings.bucket, prefix=self._log, start_after=self._last)
        names = [str(entry.object_name) for entry in listed]
        return [n for n in names if n.endswith(".json") and n[len(self._log) : -len(".json")].isdigit()]

    def _read(self, name: str) -> None:
        answer = self._client.get_object(self.settings.bucket, name)
        try:
            actions = [json.loads(line) for line in answer.read().splitlines() if line]
        finally:
            answer.close()
            answer.release_conn()
        added = [f"{self.table}/{unquote(a['add']['path'])}" for a in actions if "add" in a]
        for action in actions:
            if "txn" in action and action["txn"]["appId"] == self.app_id:
                self._files[int(action["txn"]["version"])] = added
