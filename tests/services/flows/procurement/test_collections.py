"""A collection is dropped whole: from the lake, from ClickHouse, from the collector's state; and comes back whole."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conf import Settings
from conf.connect import clickhouse
from conf.stream_progress import settle
from ingestion.core.errors import IngestError
from ingestion.core.run import main
from ingestion.procurement.ocds import stored_processes
from ingestion.procurement.ocds.stored_processes import PostgresProcesses
from schemas.contract import tables
from schemas.procurement import TOPIC
from tests.ingestion.procurement.ocds.held import CASES
from tests.ingestion.procurement.ocds.samples import AWARD, CONTRACT, TENDER, package, written
from tests.support.commands import run_command
from tests.support.stream import Stream

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

GONE, KEPT, MERGED = (f"{name}_{secrets.token_hex(3)}" for name in ("gone", "kept", "merged"))
PUBLISHED = (
    "c6_party.json", "c13_week1.json", "c13_week2.json", "c14_v1.json", "c14_v2.json", "c16_mixed.json",
    "c18_lines.jsonl", "c19.json", "c3_html", "c4_bad",
)  # fmt: skip
"""One load each: what publishers said first, and what they said later."""
SILVER = tables("silver", "procurement")


def command(*words: str, code: int = 0) -> str:
    # A drop holds the stream's lock in Java, to the end of that Java.
    ended = run_command(*words, separate=words[0] == "streaming.core.drop_collection")
    assert ended.code == code, f"{ended.out}\n{ended.err}"
    return ended.out or ended.err


def served(client: Any, collection: str) -> dict[str, int]:
    """Rows of each silver table, every version, those refused, and the checksum of all ids."""
    actual = {}
    for table in SILVER:
        query = f"SELECT count() FROM {table.name} FINAL WHERE collection_code = '{collection}'"
        actual[table.name] = int(client.query(query).result_rows[0][0])
    refused = f"SELECT count() FROM ops.quarantine FINAL WHERE startsWith(event_id, '{collection}:')"
    return actual | {"ops.quarantine": int(client.query(refused).result_rows[0][0])}


def in_lake(client: Any, chosen: Settings, collection: str) -> dict[str, int]:
    """Rows of each Delta table of the domain whose event is the collection's."""
    names = [*(t.name for t in SILVER), "quarantine.procurement", "bronze.procurement"]
    query = "SELECT count() FROM deltaLake(lake, url = '{}') WHERE startsWith(event_id, '{}:')"
    return {
        name: int(client.query(query.format(chosen.table_url(name), collection)).result_rows[0][0]) for name in names
    }


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A process with all of its stages, and one with a sum that no column takes, so that its tender is refused."""
    folder = tmp_path_factory.mktemp("ocds")
    endless = TENDER["tender"] | {"value": {"amount": 10**17, "currency": "EUR"}}
    wrong = TENDER | {"ocid": "ocds-x-2", "tender": endless}
    return written(folder / "p.json", package(TENDER, AWARD, CONTRACT, wrong))


@pytest.fixture(scope="module")
def loaded(stream: Stream, chosen: Settings, file: Path) -> Iterator[Any]:
    for collection in (GONE, KEPT):
        command("ingestion.core.run", "procurement.ocds", str(file), "--collection", collection)
    for name in PUBLISHED:
        done = CliRunner().invoke(main, ["procurement.ocds", str(CASES / name), "--collection", MERGED])
        assert done.exit_code == 0, done.output
    stream.start()
    stream.wait_ready()
    settle(chosen, [TOPIC], 240, lambda _: None)
    client = clickhouse(chosen)
    yield client
    client.close()


@pytest.mark.smoke
def test_what_holds_is_what_was_said_of_a_process_at_any_time(loaded: Any) -> None:
    def requests(what: str, table: str, key: str, ocid: str) -> list[tuple[Any, ...]]:
        where = f"collection_code = '{MERGED}' AND match({key}, '^ocds-{ocid}') ORDER BY {key}"
        return list(loaded.query(f"SELECT {what} FROM silver.procurement_{table}_latest WHERE {where}").result_rows)

    assert requests("name, status_code, total_amount, currency_code", "tenders", "tender_id", "w") == [
        ("Bridge", "complete", 500, "GBP")
    ]  # fmt: skip
    assert requests("number, total_amount", "lots", "lot_id", "w") == [("1", 300), ("2", 200)]
    for table, key in (("lots", "lot_id"), ("awards", "award_id"), ("contracts", "contract_id")):
        assert requests("total_amount", table, key, "g") == [(10,)], table
    assert requests("total_amount", "awards", "award_id", "z") == [(900,)]
    assert requests("total_amount", "contracts", "contract_id", "z") == [(None,)] * 3
    names = dict(requests("party_id, name", "parties", "party_id", "p"))
    actual = requests("contract_id, supplier_id, buyer_id", "contracts", "contract_id", "p")
    assert [(contract, names[supplier], names[buyer]) for contract, supplier, buyer in actual] == [
        ("ocds-p-1/c", "Alpha Ltd", "Buyer of ocds-p-1"), ("ocds-p-2/c", "Beta GmbH", "Buyer of ocds-p-2"),
    ]  # fmt: skip
    assert requests("formatDateTime(changed_at, '%H:%i')", "tenders", "tender_id", "m") == [
        ("10:00",), ("10:00",), ("05:00",),
    ]  # fmt: skip
    assert [tender for (tender,) in requests("tender_id", "tenders", "tender_id", "[bhq]")] == [
        "ocds-b-1", "ocds-b-3", "ocds-h-1", "ocds-q-1", "ocds-q-2",
    ]  # fmt: skip
    refused = f"SELECT count() FROM ops.quarantine FINAL WHERE startsWith(event_id, '{MERGED}:')"
    assert loaded.query(refused).result_rows == [(0,)]


def test_two_loads_of_one_collection_wait_for_each_other_and_a_forgotten_one_is_new(chosen: Settings) -> None:
    held = PostgresProcesses(chosen, MERGED)
    with pytest.raises(IngestError, match="Another command loads merged_"):
        PostgresProcesses(chosen, MERGED)
    PostgresProcesses(chosen, f"{MERGED}_b").close()
    assert set(held.processes(["ocds-w-1", "ocds-none"])) == {"ocds-w-1"}
    held.close()
    assert stored_processes.forget(chosen, MERGED) == 13
    assert stored_processes.forget(chosen, MERGED) == 0


def test_a_drop_beside_a_stream_is_refused(loaded: Any) -> None:
    before = served(loaded, GONE)
    assert before["silver.procurement_lots"] > 0
    assert before["ops.quarantine"] > 0

    assert "The stream (process " in command("streaming.core.drop_collection", GONE, code=1)
    assert served(loaded, GONE) == before


def test_a_collection_goes_and_others_stay_and_it_comes_back(
    loaded: Any, stream: Stream, chosen: Settings, file: Path
) -> None:
    client = loaded
    before, others, lake = served(client, GONE), served(client, KEPT), in_lake(client, chosen, KEPT)
    state = chosen.data / "collections" / f"{GONE}.localhost.sqlite"
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_bytes(b"")

    stream.stop()
    command("ingestion.procurement.forget", GONE)
    document = json.loads(command("streaming.core.drop_collection", GONE, "--json").splitlines()[-1])

    assert not state.exists()
    assert document["lake"]["bronze.procurement"] >= document["lake"]["silver.procurement_lots"] > 0
    assert set(served(client, GONE).values()) == {0}
    assert set(in_lake(client, chosen, GONE).values()) == {0}
    assert (served(client, KEPT), in_lake(client, chosen, KEPT)) == (others, lake)
    assert "0 rows" in command("streaming.core.drop_collection", GONE, code=2), "it is dropped once"
    reconciled()

    # Its events are still in Kafka, and are not read again; sent again, they are no duplicates.
    stream.start()
    stream.wait_ready()
    settle(chosen, [TOPIC], 120, lambda _: None)
    assert set(served(client, GONE).values()) == {0}
    command("ingestion.core.run", "procurement.ocds", str(file), "--collection", GONE)
    settle(chosen, [TOPIC], 120, lambda _: None)
    assert served(client, GONE) == before
    assert (served(client, KEPT), in_lake(client, chosen, KEPT)) == (others, lake)
    reconciled()


def test_a_lost_checkpoint_after_a_drop_brings_nothing_back_and_loses_nothing(
    loaded: Any, stream: Stream, chosen: Settings, file: Path
) -> None:
    """The dropped batch was the lake's last: neither its offsets nor its number may be taken again."""
    stream.stop()
    command("streaming.core.drop_collection", GONE)
    shutil.rmtree(Path(chosen.checkpoints) / "lake" / "procurement")
    again = f"{GONE}_b"
    command("ingestion.core.run", "procurement.ocds", str(file), "--collection", again)
    stream.start()
    stream.wait_ready()
    settle(chosen, [TOPIC], 240, lambda _: None)

    assert set(served(loaded, GONE).values()) == {0}
    assert served(loaded, again)["silver.procurement_lots"] == served(loaded, KEPT)["silver.procurement_lots"] > 0


def reconciled() -> None:
    statements = [word for t in SILVER for word in ("--table", t.name)]
    reported = command("jobs.commands.reconcile", "--json", *statements, "--table", "quarantine.procurement")
    assert json.loads(reported.splitlines()[-1])["state"] == "equal"
