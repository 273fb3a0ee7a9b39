from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conf import Settings
from ingestion.core.errors import BrokerLost
from ingestion.core.ledger import read_ledger
from ingestion.core.publish import Say
from ingestion.core.registry import sources
from ingestion.core.run import main, transmit
from tests.ingestion.fakes import HEADER, FakeBroker, csv

ROW = "536365,71053,WHITE METAL LANTERN,6,2010-12-01 08:26:00,3.39,17850.0,United Kingdom"


def connects(broker: FakeBroker) -> Callable[[Settings, str, Say], FakeBroker]:
    return lambda _settings, _topic, _say: broker


def run(*arguments: object, broker: FakeBroker | None = None) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], obj=connects(broker or FakeBroker()))


def figures(result: Result) -> dict[str, Any]:
    return dict(json.loads(result.stdout.splitlines()[-1]))


def test_sources_are_found_by_looking_and_named_after_their_domains() -> None:
    assert {"purchases.file", "purchases.simulate", "procurement.goszakup"} <= sources().keys()
    for name, source in sources().items():
        root, folder, *_ = source.open.__module__.split(".")
        assert root == "standins" or folder == name.partition(".")[0]


def test_an_unknown_source_is_refused_with_the_known_ones() -> None:
    result = run("purchases.fiel", "x.csv")
    assert result.exit_code == 2
    assert f"No source is called 'purchases.fiel'; there are {', '.join(sources())}." in result.stderr


@pytest.mark.parametrize("name", ["", *sources()])
def test_help_is_given(name: str) -> None:
    result = run(*filter(None, [name]), "--help")
    assert result.exit_code == 0
    assert "Usage: ingest" in result.stdout
    assert sources()[name].summary[:30] in result.stdout if name else all(s in result.stdout for s in sources())


def test_a_file_is_sent_and_summed_up(tmp_path: Path) -> None:
    broker = FakeBroker()
    result = run("purchases.file", csv(tmp_path, ROW, ROW), "--json", broker=broker)
    assert result.exit_code == 0, result.output
    assert "purchases.file: 1 events sent, 1 acknowledged with 2 lines." in result.stdout
    output = figures(result)
    assert output.pop("seconds") >= 0
    assert output == {
        "source": "purchases.file", "sent": 1, "acknowledged": 1, "failed": 0, "lines": 2, "duplicates": 0, "poison": 0,
        "rows": 2, "row_problems": 0, "error": "",
    }  # fmt: skip
    assert len(broker.stored[0].body["lines"]) == 2


def test_faults_in_rows_are_told_and_do_not_stop_the_file(tmp_path: Path) -> None:
    result = run("purchases.file", csv(tmp_path, ROW, ROW.replace(",6,", ",abc,").replace("536365", "2")), "--json")
    assert result.exit_code == 0
    assert "shop.csv line 3, column Quantity: found 'abc', expected a whole number" in result.stderr
    assert "1 faults in rows" in result.stdout
    assert figures(result)["sent"] == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        ((HEADER.replace("Quantity", "Qty") + "\n").encode(), "lacks the column Quantity"),
        ((HEADER + "\n" + ROW + "\n").encode() + b"\xff\xfe\n", "is not utf-8: line 3, byte"),
        (gzip.compress((HEADER + "\n" + (ROW + "\n") * 1_000).encode(), mtime=0)[:-30], "is cut off"),
    ],
    ids=["empty", "column", "encoding", "cut off"],
)
def test_a_file_that_cannot_be_read_sends_nothing(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "shop.csv"
    path.write_bytes(data)
    broker = FakeBroker()
    result = run("purchases.file", path, "--json", broker=broker)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert broker.stored == []
    assert figures(result)["sent"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["purchases.file"], "Missing argument 'FILE'"),
        (["purchases.file", "none.csv"], "There is no file none.csv"),
        (["purchases.file", "x.csv", "--encoding", "utf-9"], "'utf-9' is unknown"),
        (["purchases.simulate", "--until", "tomorrow"], "'tomorrow' is no time"),
        (["purchases.simulate", "--days", "0"], "0 is not in the range"),
        (["purchases.simulate", "--poison", "2"], "2.0 is not in the range"),
    ],
)
def test_wrong_arguments_end_with_2_and_a_sentence(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr.replace("\n", " ")


def test_a_broker_that_is_down_ends_with_1_and_the_way_to_start_it(tmp_path: Path) -> None:
    def connect(_settings: Settings, _topic: str, _say: Say) -> FakeBroker:
        raise BrokerLost("Kafka does not answer at 127.0.0.1:9092. Start it with ./start.sh")

    result = CliRunner().invoke(main, ["purchases.file", str(csv(tmp_path, ROW))], obj=connect)
    assert result.exit_code == 1
    assert "Kafka does not answer at 127.0.0.1:9092. Start it with ./start.sh" in result.stderr


def test_a_broker_lost_midway_says_what_arrived_and_that_a_second_run_completes_it(tmp_path: Path) -> None:
    rows = [ROW.replace("536365", str(n)) for n in range(40)]
    path = csv(tmp_path, *rows)
    broker = FakeBroker(takes=10, room=10)
    result = run("purchases.file", path, "--json", broker=broker)
    assert result.exit_code == 1
    output = figures(result)
    assert output["acknowledged"] == 10
    assert output["failed"] == output["sent"] - 10 > 0
    assert "Start Kafka at" in result.stderr
    assert "10 acknowledged with 10 lines;" in result.stdout
    assert "Running it again completes the rest and doubles nothing" in result.stdout
    again = FakeBroker()
    assert run("purchases.file", path, broker=again).exit_code == 0
    assert {r.key for r in broker.stored} < {r.key for r in again.stored}


def test_ctrl_c_ends_with_130_and_what_was_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(feed: Any, publisher: Any, _rate: Any, _heard: Any) -> None:
        publisher.send(next(feed.messages()))
        raise KeyboardInterrupt

    monkeypatch.setattr("ingestion.core.run.transmit", interrupted)
    result = run("purchases.file", csv(tmp_path, ROW, ROW.replace("536365", "2")))
    assert result.exit_code == 130
    assert "1 events sent, 1 acknowledged" in result.stdout


def test_a_simulation_tells_its_duplicates_poison_and_plants(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    options = ["--events", 1_000, "--duplicates", 0.02, "--poison", 0.03, "--oversized", 1, "--run-id", "t"]
    result = run("purchases.simulate", *options, "--until", "2026-01-31T12:00:00Z", "--ledger", ledger, "--json")
    assert result.exit_code == 0, result.output
    output = figures(result)
    assert output["sent"] == output["acknowledged"] == 1_000 + output["duplicates"]
    assert "Planted: a spike of esil-foods on" in result.stdout
    read = read_ledger(ledger)
    assert (len(read.entries), len(read.poison), read.copies) == (
        output["sent"],
        output["poison"],
        output["duplicates"],
    )
    assert (read.uncertain, len(read.accepted)) == ({}, 1_000 - output["poison"])
    assert output["lines"] == sum(e.lines for e in read.entries)


def test_two_simulations_share_no_event() -> None:
    first, second = FakeBroker(), FakeBroker()
    for broker in (first, second):
        assert run("purchases.simulate", "--events", 20, broker=broker).exit_code == 0
    assert not {r.key for r in first.stored} & {r.key for r in second.stored}


def test_a_rate_gives_each_event_its_own_due_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("ingestion.core.run.time.monotonic", lambda: now[0])
    monkeypatch.setattr("ingestion.core.run.time.sleep", lambda s: now.__setitem__(0, now[0] + s))
    sent: list[float] = []

    class Feed:
        def messages(self) -> Any:
            return iter(range(5))

    class Publisher:
        def send(self, message: int) -> None:
            sent.append(now[0])
            if message == 1:
                now[0] += 0.35  # A slow broker: the events that are due meanwhile follow at once.

        def poll(self, seconds: float) -> None:
            now[0] += seconds

        def finish(self, on_poll: Any) -> None:
            pass

    transmit(Feed(), Publisher(), 10.0, lambda: None)  # type: ignore[arg-type]
    assert sent == pytest.approx([0.0, 0.1, 0.45, 0.45, 0.45])
