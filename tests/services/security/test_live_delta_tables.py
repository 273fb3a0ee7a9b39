"""Contracts and the lake's live tables, after every flow has made its own: this group is the last."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conf import settings
from conf.connect import s3
from schemas.contract import Contract, tables
from schemas.derive.live_tables import differences_delta
from tests.support.stream import Stream

pytestmark = pytest.mark.services


def live_fields(wanted: Contract) -> list[dict[str, Any]]:
    """The schema of a live Delta table, read from its log; empty where there is no such table."""
    stack = settings()
    bucket, prefix = stack.bucket, stack.table_path(wanted.name).partition(f"//{stack.bucket}/")[2] + "/_delta_log/"
    client = s3(stack)
    fields: list[dict[str, Any]] = []
    if not client.bucket_exists(bucket):
        return fields
    logs = sorted(str(actual.object_name) for actual in client.list_objects(bucket, prefix=prefix))
    for name in (log for log in logs if log.endswith(".json")):
        body = client.get_object(bucket, name).read().decode()
        for action in map(json.loads, body.splitlines()):
            if "metaData" in action:
                fields = json.loads(action["metaData"]["schemaString"])["fields"]
    return fields


def test_every_live_delta_table_equals_its_contract(stream: Stream) -> None:
    streamed = [wanted for wanted in tables() if wanted.delta and wanted.refresh == "stream"]
    if not live_fields(streamed[0]):
        # This group runs by itself.
        stream.start()
        stream.wait_ready()
    live = {wanted.name: live_fields(wanted) for wanted in tables() if wanted.delta}

    assert [wanted.name for wanted in streamed if not live[wanted.name]] == []
    for wanted in tables():
        if live.get(wanted.name):
            assert differences_delta(live[wanted.name], wanted) == []
