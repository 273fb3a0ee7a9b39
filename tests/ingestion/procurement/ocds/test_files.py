"""What is read: packages, records, lines, scattered releases, encodings; what is refused, and with which words."""

from __future__ import annotations

import codecs
import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from ingestion.core.errors import IngestError, Unreadable
from ingestion.procurement.ocds.merge import Unmergeable, merged
from ingestion.procurement.ocds.releases import Release
from ingestion.procurement.ocds.spool import Spool
from standins.goszakup import ocds
from standins.goszakup.world import make_world
from tests.ingestion.procurement.ocds.samples import AWARD, CONTRACT, TENDER, bodies, opened, package, sent, written

RELEASES = (TENDER, AWARD, CONTRACT)


def ids(path: Path) -> list[str]:
    return [m.event_id for m in sent(path)]


@pytest.fixture
def expected(tmp_path: Path) -> list[str]:
    return ids(written(tmp_path / "expected.json", package(*RELEASES)))


def refused(path: Path) -> str:
    with pytest.raises(Unreadable) as output:
        opened(path)
    return str(output.value)


def test_releases_of_one_process_are_merged_from_several_files(tmp_path: Path, expected: list[str]) -> None:
    folder = tmp_path / "folder"
    (folder / "2026").mkdir(parents=True)
    # The newest first, and one of them twice.
    written(folder / "1.json", package(CONTRACT, TENDER))
    (folder / "2026" / "2.JSONL.gz").write_bytes(gzip.compress(json.dumps(package(AWARD, TENDER)).encode()))
    (folder / "README.txt").write_text("what this is")
    (folder / ".hidden.json").write_text("{")
    (folder / "2026" / ".hidden.json").write_text("{")
    sentences: list[str] = []
    feed = opened(folder, sentences=sentences)
    assert [m.event_id for m in feed.messages()] == expected
    assert sentences == [
        "Left aside, by their names no JSON: README.txt.", "Reading 1.json …", "Reading 2.JSONL.gz …",
        "folder: 3 releases of 1 processes.",
    ]  # fmt: skip


@pytest.mark.parametrize("indent", [None, 2], ids=["one line", "many lines"])
@pytest.mark.parametrize(
    "values",
    [
        [package(*RELEASES)],
        [package(TENDER), package(AWARD, CONTRACT)],
        [{"releases": list(RELEASES)[::-1], "version": "1.0"}],
        [TENDER, CONTRACT, AWARD],
        [{"records": [{"ocid": "ocds-x-1", "releases": list(RELEASES)}], "packages": ["https://x.example"]}],
    ],
    ids=["a package", "two packages", "1.0", "bare releases", "records"],
)
def test_any_packing_gives_the_same_events(
    tmp_path: Path, expected: list[str], values: list[Any], indent: int | None
) -> None:
    path = tmp_path / "any.json"
    path.write_text("\n".join(json.dumps(value, indent=indent) for value in values))
    assert ids(path) == expected


def test_a_compiled_release_is_taken_as_it_is(tmp_path: Path) -> None:
    old = TENDER | {"tag": ["compiled"], "date": "2026-01-01T00:00:00Z"}
    new = {**old, "date": "2026-02-01T00:00:00Z", "tender": {"id": "T1", "status": "cancelled"}}
    output = bodies(written(tmp_path / "compiled.jsonl", new, old), "tender")
    assert [(t["changed_at"][:10], t["status_code"], t.get("name")) for t in output] == [
        ("2026-02-01", "cancelled", None),
    ]  # fmt: skip


def test_a_records_compiled_release_goes_before_its_releases(tmp_path: Path) -> None:
    record = {
        "ocid": "ocds-x-1",
        "compiledRelease": TENDER,
        "releases": [{"url": "https://x.example/1", "date": "2026"}],
    }
    (tender,) = bodies(written(tmp_path / "records.json", {"records": [record]}), "tender")
    assert tender["name"] == "Paper"


def test_lists_of_1_0_are_replaced_and_those_of_1_1_merged(tmp_path: Path) -> None:
    def award(ocid: str, date: str, supplier: dict[str, Any], **more: Any) -> dict[str, Any]:
        contract = {"id": "c", "awardID": "w"}
        return {"ocid": ocid, "id": date, "date": date, "tag": ["award"], "contracts": [contract],
                "awards": [{"id": "w", "suppliers": [supplier]}], **more}  # fmt: skip

    releases = [award("1.0", day, {"name": name}) for day, name in (("2026-01-01", "A"), ("2026-01-02", "B"))]
    releases += [
        award("1.1", day, {"id": name}, parties=[{"id": name}])
        for day, name in (("2026-01-01", "A"), ("2026-01-02", "B"))
    ]
    output = bodies(written(tmp_path / "suppliers.json", package(*releases)), "contract")
    assert [contract["supplier_id"] for contract in output] == ["1.0/B", "1.1/A+1.1/B"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("indent", [None, 1])
def test_unicode_is_detected(tmp_path: Path, encoding: str, indent: int | None) -> None:
    release = {"ocid": "о", "date": "2026-01-01", "tender": {"id": "1", "title": "Бумага €"}}
    path = tmp_path / "text"
    path.write_bytes(json.dumps(package(release), ensure_ascii=False, indent=indent).encode(encoding))
    assert bodies(path, "tender")[0]["name"] == "Бумага €"


def test_files_of_mixed_encodings_are_read_each_in_its_own(tmp_path: Path, expected: list[str]) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "a.json").write_bytes(codecs.BOM_UTF8 + json.dumps(package(TENDER)).encode())
    (folder / "b.json").write_bytes(gzip.compress(json.dumps(package(AWARD)).encode("utf-16")))
    written(folder / "c.json", package(CONTRACT))
    assert ids(folder) == expected


TORN = b'{"releases": [\n  {"ocid": "o", "date": "2026-01-01", "tender": {"id" "1"}}\n]}'


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "x.json is empty; OCDS as JSON was expected."),
        (gzip.compress(b"", mtime=0), "x.json is empty; OCDS as JSON was expected."),
        (b" \n", "x.json holds nothing; a release package, a record package or compiled releases were expected."),
        (TORN, "x.json is no valid JSON: line 2, byte 69: found '\"1\"}}', expected a colon after the key."),
        (codecs.BOM_UTF8 + TORN, "line 2, byte 72: found"),
        (gzip.compress(TORN, mtime=0), "line 2, byte 69 of the unpacked text: found"),
        (TORN.decode().encode("utf-16"), "line 2, byte 69 of the text as UTF-8: found"),
        (b'{"releases": []}\n{"releases": [{},]}', "line 2, byte 34: found ']}', which is no JSON there. The line is"),
        (b'{"releases": [', "x.json is no whole JSON: it ends at line 1, byte 14, in the middle of a value."),
        (b"<html></html>", "x.json is a page of HTML, which sites give instead of data when something is wrong there:"),
        (b"\n <!DOCTYPE html>", "x.json is a page of HTML"),
        (b'{"releases": [\n"\xcf\xf0\xe8"]}', "not all UTF-8: line 2, byte 16 is 0xcf (invalid continuation byte)."),
        (gzip.compress(b'{"releases": []}', mtime=0)[:-9], "x.json is cut off: its gz data end before their end mark."),
        (b"PK\x03\x04....", "x.json is a zip archive or an Excel workbook: unpack it, and give the JSON files in it."),
        (b'{"foo": 1, "bar": 2}', "x.json is no OCDS: its keys are foo, bar; a release package, a record package or"),
        (b"{}", "x.json is an empty object;"),
        (b"[]", "x.json holds nothing;"),
        (b"7", "x.json has a number where an object was expected"),
        (b'{"$schema": "x", "properties": {}}', "x.json is a JSON schema, not data;"),
        (b'{"releases": 7}', "x.json is a package whose releases are no list;"),
        (b'{"releases": {"a": 1}}', "x.json, number 1: the release '' has no ocid; it is left out."),
        (b'{"releases": ["https://x.example/1"]}', "number 1: the release is linked (https://x.example/1), not"),
        (b'{"records": [{"ocid": "o", "releases": [{"url": "u:1", "date": "2"}]}]}', "the release is linked (u:1)"),
        (b'{"records": [{"ocid": "o"}]}', "x.json, record 1 (o) has neither a compiledRelease nor releases."),
        (b'{"records": [7]}', "x.json, record 1 is no object;"),
        (b'{"releases": []}', "x.json has no release with an ocid; nothing can be sent."),
        (b'{"ocid": "o", "date": "1", "id": 1' + b"0" * 5_000 + b"}", "x.json has a number with more digits than"),
        (b'{"ocid": "o", "date": "1", "id": 1e99999999999999999999}', "x.json has a number with more digits than can"),
        (b'{"a": ' + b"[" * 100_000, "x.json is no whole JSON"),
        (b'{"releases": [{"ocid": "o", "tender": ' + b"[" * 9_000 + b"]" * 9_000 + b"}]}", "nested too deeply"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_pretty", [False, True], ids=["by lines", "as a stream"])
def test_what_cannot_be_read_is_told(tmp_path: Path, data: bytes, sentence: str, is_pretty: bool) -> None:
    path = tmp_path / "x.json"
    if is_pretty and data[:1] == b"{" and b"byte" not in sentence.encode():
        data = b"\n{\n" + data[1:]
    path.write_bytes(data)
    assert sentence in refused(path)


def test_a_place_far_in_a_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "far.json"
    sound = [json.dumps(TENDER | {"ocid": f"o-{n}"}, indent=1) for n in range(400)]
    text = '{"releases": [\n' + ",\n".join([*sound, '{"ocid": }']) + "]}"
    path.write_text(text)
    at = text.index("}]}", text.rindex("{"))
    assert f"line {text[:at].count(chr(10)) + 1:,}, byte {at:,}: found '}}]}}'" in refused(path)


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path / "none") == f"There is no file or folder {tmp_path / 'none'}."
    assert refused(tmp_path) == (
        f"The folder {tmp_path} has no files: names that end in .json, .jsonl, .ndjson or .gz were expected."
    )
    (tmp_path / "a.csv").write_text("a")
    assert "has 1 files, and none of OCDS: names" in refused(tmp_path)


def test_releases_that_nobody_can_place_are_left_out_and_told(tmp_path: Path) -> None:
    sentences: list[str] = []
    feed = opened(written(tmp_path / "x.json", package({"id": "7", "date": "2026-01-01"}, TENDER)), sentences=sentences)
    assert sentences[1] == "x.json, number 1: the release '7' has no ocid; it is left out."
    assert (feed.releases, feed.figures()["release_problems"]) == (1, 1)
    assert feed.closing() == "1 files, lines, releases or processes were left out, as told above; all else is sent."


def test_a_process_that_contradicts_itself_is_left_out_and_told(tmp_path: Path) -> None:
    sentences: list[str] = []
    other = AWARD | {"tender": [{"id": 1}]}
    feed = opened(written(tmp_path / "x.json", package(TENDER, other, TENDER | {"ocid": "sound"})), sentences=sentences)
    output = [m.key for m in feed.messages()]
    assert b"x:ocds.tender:sound" in output
    assert b"x:ocds.tender:ocds-x-1" not in output
    assert sentences[-1].startswith("The releases of ocds-x-1 cannot be merged: An earlier release had the object")
    assert feed.figures()["release_problems"] == 1


def test_two_elements_of_one_id_become_one_and_are_counted(tmp_path: Path) -> None:
    lots = [{"id": "1", "title": "A"}, {"id": "1", "title": "B"}]
    feed = opened(written(tmp_path / "x.json", package(TENDER | {"tender": {"id": "T", "lots": lots}})))
    assert len([m for m in feed.messages() if b"ocds.lot" in m.key]) == 1
    assert feed.closing() == "1 elements of lists had the id of another one, and became one with it."


def test_what_is_nested_too_deeply_cannot_be_merged() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"a": deep or 1}
    with pytest.raises(Unmergeable, match="recursion"):
        merged([TENDER | {"planning": deep}])


def filled(spool: Spool) -> None:
    for number in range(200):
        spool.add(Release(f"o-{number}", "2026-01-01", False, {"text": str(number) * 1_000}))


def test_a_full_disk_is_told() -> None:
    spool = Spool()
    spool._db.execute("PRAGMA max_page_count = 20")
    with pytest.raises(IngestError, match=r"cannot be put on disk: database or disk is full\. About as much room"):
        filled(spool)


@pytest.mark.parametrize("indent", [None, 1], ids=["lines", "one value"])
def test_no_file_is_held_in_memory(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "large.json"
    releases = (TENDER | {"ocid": f"o-{n}", "language": "x" * 20_000} for n in range(1_500))
    with path.open("w") as file:
        file.write('{"releases": [' if indent else "")
        for number, release in enumerate(releases):
            file.write(("," if indent and number else "") + json.dumps(release, indent=indent) + "\n")
        file.write("]}" if indent else "")
    assert path.stat().st_size > 30_000_000
    tracemalloc.start()
    try:
        count = sum(1 for _ in opened(path).messages())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 1_500 * 5 + 1
    assert peak < 4_000_000


def test_what_the_standin_exports_comes_out_whole(tmp_path: Path) -> None:
    path = tmp_path / "world.jsonl"
    _, count = ocds.write_packages(make_world(1, 200, 1), path)
    feed = opened(path)
    messages = list(feed.messages())
    assert feed.releases == count
    assert len({m.event_id for m in messages}) == len(messages)
    assert feed.closing() == ""
    packages = [json.loads(line) for line in path.read_text().splitlines()]
    ocids = {release["ocid"] for output in packages for release in output["releases"]}
    assert len([m for m in messages if m.key.startswith(b"x:ocds.tender:")]) == feed.processes == len(ocids)
