"""The source at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conf import Settings
from conf.domains.procurement import ProcurementSettings
from ingestion.core.message import Headers
from ingestion.core.publish import Delivered, Say
from ingestion.core.run import main
from ingestion.procurement.ocds.stored_processes import NothingStored
from schemas.procurement import STANDIN_COLLECTION, TOPIC
from tests.ingestion.fakes import FakeBroker
from tests.ingestion.procurement.ocds.samples import AWARD, CONTRACT, TENDER, package, written


class Broker(FakeBroker):
    """Takes procurement's topic."""

    def produce(self, topic: str, value: bytes | None, key: bytes, *, headers: Headers, on_delivery: Delivered) -> None:
        assert topic == TOPIC
        super().produce("purchases", value, key, headers=headers, on_delivery=on_delivery)


@pytest.fixture(autouse=True)
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ingestion.procurement.ocds.source.PostgresProcesses", lambda _settings, _collection: NothingStored()
    )


def run(*arguments: object, broker: FakeBroker | None = None) -> Result:
    connect: Callable[[Settings, str, Say], FakeBroker] = lambda _settings, _topic, _say: broker or Broker()  # noqa: E731
    return CliRunner().invoke(main, ["procurement.ocds", *(str(a) for a in arguments)], obj=connect)


def test_a_file_is_sent_and_summed_up(tmp_path: Path) -> None:
    broker = Broker()
    path = written(tmp_path / "p.json", package(TENDER, AWARD, CONTRACT))
    result = run(path, "--collection", "x_y", "--json", broker=broker)
    assert result.exit_code == 0, result.output
    assert "p.json: 3 releases of 1 processes." in result.stderr
    assert "procurement.ocds: 16 events sent, 16 acknowledged with 17 lines." in result.stdout
    assert "bid 'Qualified' (1)" in result.stdout
    output = json.loads(result.stdout.splitlines()[-1])
    assert (output["releases"], output["processes"], output["unknown_statuses"], output["error"]) == (3, 1, 1, "")
    assert {dict(record.headers)["collection"] for record in broker.stored} == {b"x_y"}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("goszakup", "goszakup is the register's own; no collection mixes two publishers."),
        (STANDIN_COLLECTION, "goszakup_standin is the register's own; no collection mixes two publishers."),
        ("a:b", "'a:b' is no name of a collection: small letters, digits, _ - and . were expected"),
        ("", "is no name of a collection"),
    ],
)
def test_a_collection_has_a_name_of_its_own(tmp_path: Path, name: str, sentence: str) -> None:
    result = run(written(tmp_path / "p.json", package(TENDER)), "--collection", name)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())


def test_a_collection_must_be_named(tmp_path: Path) -> None:
    result = run(written(tmp_path / "p.json", package(TENDER)))
    assert result.exit_code == 2
    assert "Missing option '--collection'" in result.stderr


def test_what_cannot_be_read_sends_nothing(tmp_path: Path) -> None:
    broker = Broker()
    result = run(written(tmp_path / "p.json", {"foo": 1}), "--collection", "x", broker=broker)
    assert result.exit_code == 2
    assert "p.json is no OCDS: its keys are foo;" in result.stderr
    assert broker.stored == []


def test_what_is_left_out_is_named_and_counted_and_the_rest_is_sent(tmp_path: Path) -> None:
    broker = Broker()
    path = written(tmp_path / "p.jsonl", package(TENDER), {"foo": 1}, TENDER | {"ocid": "ocds-x-2"})
    result = run(path, "--collection", "x", "--json", broker=broker)
    assert result.exit_code == 0, result.output
    assert "p.jsonl, line 2 is no OCDS: its keys are foo;" in result.stderr
    assert "1 files, lines, releases or processes were left out, as told above; all else is sent." in result.stdout
    output = json.loads(result.stdout.splitlines()[-1])
    assert (output["processes"], output["release_problems"], output["files_left_out"]) == (2, 1, 0)


def test_the_stand_in_is_collected_under_the_name_that_no_file_may_have(tmp_path: Path) -> None:
    assert ProcurementSettings(home=tmp_path).at_standin().goszakup_collection == STANDIN_COLLECTION
