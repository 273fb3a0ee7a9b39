"""The program on its own: it says where it is, serves on loopback, and writes truths and OCDS."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import orjson
import pytest
from click.testing import CliRunner

from conf import REPOSITORY
from standins.goszakup.__main__ import main


def test_it_tells_where_it_is_and_a_cut_body_breaks_the_connection() -> None:
    command = [sys.executable, "-m", "standins.goszakup", "--port", "0", "--lots", "200", "--token", "t",
               "--faults", "1", "--fault-kinds", "cut", "--fault-share", "1"]  # fmt: skip
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            line = process.stdout.readline()
            address = line.partition(" ")[0]
            assert address.startswith("http://127.0.0.1:")
            assert "lots" in line
            headers = {"Authorization": "Bearer t"}
            for _ in range(2):
                with pytest.raises(httpx.RemoteProtocolError):
                    httpx.get(f"{address}/v3/lots", headers=headers)
            assert httpx.get(f"{address}/v3/lots", headers=headers).json()["limit"] == 50
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--lots", "300"], "No token: give --token, --token-file or SAUDA_GOSZAKUP_TOKEN."),
        (["--token", "t", "--fault-kinds", "fire"], "fire; there are http, hang,"),
        (["--token", "t", "--faults", "some"], "'some'; expected a whole number, or none."),
    ],
)
def test_wrong_options_are_told_in_a_sentence(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(main, arguments, env={"SAUDA_GOSZAKUP_TOKEN": None})

    assert result.exit_code == 2
    assert sentence in result.output


def test_truths_and_ocds_are_written(tmp_path: Path) -> None:
    truths, ocds = tmp_path / "truths.json", tmp_path / "ocds.jsonl"
    result = CliRunner().invoke(main, ["--lots", "400", "--truths", str(truths), "--ocds", str(ocds)])
    releases = [release for line in ocds.read_bytes().splitlines() for release in orjson.loads(line)["releases"]]
    tags = {tag for release in releases for tag in release["tag"]}
    by_process: dict[str, list[str]] = {}
    for release in releases:
        by_process.setdefault(release["ocid"], []).append(release["date"])

    assert result.exit_code == 0, result.output
    assert {truth["kind"] for truth in orjson.loads(truths.read_bytes())} >= {"bidding_ring", "split_purchase"}
    assert len({release["id"] for release in releases}) == len(releases)
    assert tags == {
        "tender", "tenderCancellation", "award", "contract", "contractAmendment", "implementation",
        "contractTermination",
    }  # fmt: skip
    assert max(len(dates) for dates in by_process.values()) >= 5


def test_ocds_awards_go_to_the_lowest_valid_bid(tmp_path: Path) -> None:
    ocds = tmp_path / "ocds.jsonl"
    CliRunner().invoke(main, ["--lots", "200", "--ocds", str(ocds)], catch_exceptions=False)
    releases = [release for line in ocds.read_bytes().splitlines() for release in orjson.loads(line)["releases"]]
    awarded = [release for release in releases if release["tag"] == ["award"] and release.get("bids")]
    won = [release for release in awarded if release["awards"]]
    signed = {release["ocid"]: release["contracts"][0] for release in releases if release["tag"] == ["contract"]}

    assert len(won) > 50
    for release in won:
        [award], bids = release["awards"], release["bids"]["details"]
        [winner] = [bid for bid in bids if bid["id"] == award["id"]]
        assert winner["value"] == award["value"]
        assert winner["value"]["amount"] == min(bid["value"]["amount"] for bid in bids if bid["status"] == "valid")
        assert release["tender"]["status"] == "complete"
        contract = signed.get(release["ocid"])
        assert contract is None or (contract["awardID"], contract["value"]) == (award["id"], award["value"])
