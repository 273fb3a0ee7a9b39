"""The releases of a file, whichever package they come in; and what a file is that holds none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ingestion.errors import Unreadable
from ingestion.ocds.files import JsonFile
from ingestion.ocds.parts import LISTS, SECTIONS, Part, names, parts

EXPECTED = "a release package, a record package or compiled releases were expected"
Problem = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Release:
    """A release as it was read; a compiled one is not merged with others."""

    ocid: str
    date: str
    is_compiled: bool
    body: dict[str, Any]


def releases(file: JsonFile, problem: Problem) -> Iterator[Release]:
    """All releases of a file. Raises Unreadable where it is no OCDS or of another kind.

    `problem` hears of releases that have no ocid or date, which nobody can place.
    """
    reader = _Reader(file, problem)
    for part in parts(file):
        yield from reader.of(part)
    if not reader.values:
        raise Unreadable(f"{file.name} holds nothing; {EXPECTED}.")


class _Reader:
    def __init__(self, file: JsonFile, problem: Problem) -> None:
        self._name, self._problem = file.name, problem
        self._number = self.values = 0

    def of(self, part: Part) -> Iterator[Release]:
        section, value = part
        if section:
            self._number += 1
            yield from self._of_record(value) if section == "records" else self._release(value)
            return
        self.values += 1
        if not any(isinstance(value.get(name), list) for name in LISTS):
            if what := _other(value):
                raise Unreadable(f"{self._name} is {what}; {EXPECTED}.")
            self._number += 1
            yield from self._release(value)
        elif "ocid" in value:
            raise Unreadable(f"{self._name} is {RECORD}; {EXPECTED}.")

    def _of_record(self, record: Any) -> Iterator[Release]:
        where = f"{self._name}, record {self._number:,}"
        if not isinstance(record, dict):
            raise Unreadable(f"{where} is no object; {EXPECTED}.")
        compiled, listed = record.get("compiledRelease"), record.get("releases")
        if isinstance(compiled, dict):
            yield from self._release({"ocid": record.get("ocid")} | compiled, is_compiled=True)
        elif isinstance(listed, list) and listed:
            for release in listed:
                yield from self._release(release, record.get("ocid"))
        else:
            raise Unreadable(
                f"{where} ({record.get('ocid', 'without an ocid')}) has neither a compiledRelease nor releases."
            )

    def _release(self, body: Any, ocid: Any = None, *, is_compiled: bool = False) -> Iterator[Release]:
        where = f"{self._name}, number {self._number:,}"
        if not isinstance(body, dict) or ("url" in body and not SECTIONS & body.keys()):
            url = body.get("url") if isinstance(body, dict) else body
            raise Unreadable(
                f"{where}: the release is linked ({str(url)[:200]}), not embedded. Nothing is fetched here: download "
                "the releases, or a package that has them or a compiledRelease in it."
            )
        ocid, date, tag = body.get("ocid") or ocid, body.get("date"), body.get("tag")
        if not isinstance(ocid, str) or not ocid.strip():
            self._problem(f"{where}: the release {body.get('id', '')!r} has no ocid; it is left out.")
        elif not isinstance(date, str) or not date.strip():
            self._problem(f"{where}: the release {body.get('id', '')!r} of {ocid} has no date; it is left out.")
        else:
            tags = tag if isinstance(tag, list) else [tag]
            yield Release(ocid.strip(), date.strip(), is_compiled or "compiled" in tags, body | {"ocid": ocid.strip()})


RECORD = "a single record, without the record package around it"


def _other(value: dict[str, Any]) -> str:
    """What an object is that is neither a package nor a release; nothing where it is a release."""
    for name in LISTS:
        if name in value:
            return f"a package whose {name} are no list"
    if "compiledRelease" in value or "versionedRelease" in value:
        return RECORD
    if {"$schema", "definitions", "properties", "$ref"} & value.keys():
        return "a JSON schema, not data"
    if "ocid" in value and (SECTIONS | {"tag", "date"}) & value.keys():
        return ""
    return f"no OCDS: its keys are {names(value)}" if value else "an empty object"
