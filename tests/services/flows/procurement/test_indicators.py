"""Red flags of a file as users of Cardinal have it: lines of compiled releases, without dates, with little in them."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from conf import Settings
from conf.stream_progress import settle
from schemas.procurement import TOPIC
from tests.support.commands import run_command
from tests.support.stream import Stream

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

COLLECTION = f"flags_{secrets.token_hex(3)}"
SETTINGS = "; as Cardinal's\n[R018]\n[R024]\n[R028]\n[R035]\n[R036]\n[R038]\n[R058]\n"


def bid(status: str, tenderer: str, amount: float) -> dict[str, Any]:
    return {"status": status, "tenderers": [{"id": tenderer}], "value": {"amount": amount, "currency": "USD"}}


def release(ocid: str, *bids: dict[str, Any], winner: str = "W", **more: Any) -> dict[str, Any]:
    awards = [{"status": "active", "suppliers": [{"id": winner}]}]
    return {"ocid": ocid, "buyer": {"id": "B"}, "bids": {"details": list(bids)}, "awards": awards} | more


def test_a_file_of_cardinals_comes_to_what_cardinal_says(stream: Stream, chosen: Settings, tmp_path: Path) -> None:
    lines = [
        # Differences 0.01 and four times 99: Q1 = 0.01 + 2/3 * 98.99, Q3 = 99.
        release("F", bid("valid", "W", 100), bid("valid", "L", 101)),
        *(release(f"{n}", bid("valid", "W", 1), bid("valid", "L", 100)) for n in range(1, 5)),
        release("D", bid("disqualified", "X", 5), bid("disqualified", "Y", 5), bid("valid", "V", 6), winner="V"),
        release("S", tender={"procurementMethod": "open", "numberOfTenderers": 1}),
        release("C", bid("valid", "W", 1), bid("valid", "L", 1.01), tender={"status": "cancelled"}),
    ]
    file, settings_file, out = (tmp_path / name for name in ("cardinal.jsonl", "settings.ini", "out.json"))
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    settings_file.write_text(SETTINGS)
    loaded = run_command("ingestion.core.run", "procurement.ocds", str(file), "--collection", COLLECTION)
    assert loaded.code == 0, loaded.err
    stream.start()
    stream.wait_ready()
    settle(chosen, [TOPIC], 240, lambda _: None)

    words = ("--collection", COLLECTION, "--settings", str(settings_file), "--export", str(out))
    ended = run_command("jobs.procurement.indicators", *words)

    assert ended.code == 0, ended.err
    assert "Left out, cancelled: 1 processes." in ended.out
    assert json.loads(out.read_text()) == {
        "OCID": {"F": {"R024": 0.01}, "D": {"R028": 1.0, "R035": 2.0, "R036": 1.0}, "S": {"R018": 1.0}},
        "Buyer": {"B": {"R038": 2 / 13}},
        "Tenderer": {
            "W": {"R024": 0.0}, "L": {"R024": 0.0}, "V": {"R035": 0.0}, "X": {"R028": 1.0}, "Y": {"R028": 1.0},
        },
        "Meta": {
            "R024": {"q1": 66.0033, "q3": 99.0, "lower_fence": 16.5083},
            "R038": {
                "Buyer_q1": 0.1538, "Buyer_q3": 0.1538, "Buyer_upper_fence": 0.1538,
                "Tenderer_q1": 0.0, "Tenderer_q3": 0.0, "Tenderer_upper_fence": 0.0,
            },
            "R058": {"q1": 66.0033, "q3": 99.0, "upper_fence": 148.495},
        },
    }  # fmt: skip

    unknown = run_command("jobs.procurement.indicators", "--collection", "none_such")
    assert (unknown.code, COLLECTION in unknown.err) == (2, True)
    settings_file.write_text("[R024]\nlimit = 1\n")
    refused = run_command("jobs.procurement.indicators", "--collection", COLLECTION, "--settings", str(settings_file))
    assert (refused.code, "limit in [R024] is unknown" in refused.err) == (2, True)
