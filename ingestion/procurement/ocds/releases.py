"""The releases of a file, whichever package they come in; and what a file is that holds none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ingestion.core.errors import Unreadable
from ingestion.procurement.ocds.files import JsonFile
from ingestion.procurement.ocds.normal import identity, is_nothing, normal
from ingestion.procurement.ocds.parts import KEPT, LISTS, RECORD, SECTIONS, Part, names, parts
from ingestion.procurement.ocds.shape import texts
from ingestion.procurement.ocds.times import instant

EXPECTED = "a release package, a record package or compiled releases were expected"
Problem = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Release:
    """A release as it was read, in the standard's own shape; a compiled one is not merged with others.

    `date` is in UTC and sorts as a text; it is empty where there is none.
    """

    ocid: str
    date: str
    is_compiled: bool
    body: dict[str, Any]
    digest: str = ""


def releases(file: JsonFile, problem: Problem, undated: Problem) -> Iterator[Release]:
    """All releases of a file. Raises Unreadable where it is no JSON, or holds nothing.

    `problem` hears of what is left out and why: values that are no OCDS, releases that have no ocid. `undated` hears of
    releases whose date is missing or is none.
    """
    reader = _Reader(file, problem, undated)
    for part in parts(file, problem):
        yield from reader.of(part)
    if not reader.values:
        raise Unreadable(f"{file.name} holds nothing; {EXPECTED}.")


class _Reader:
    def __init__(self, file: JsonFile, problem: Problem, undated: Problem) -> None:
        self._name, self._problem, self._undated = file.name, problem, undated
        self._number = self.values = self._line = 0
        self._links: list[str] = []

    def of(self, part: Part) -> Iterator[Release]:
        self._line = part.line
        value = part.value
        if part.name:
            self.values += 1
            self._number += 1
            yield from self._of_record(value) if part.name == "records" else self._release(value)
            return
        links, self._links = self._links, []
        if value is None:
            return
        self.values += 1
        # A record's compiled release says what its linked ones do.
        for sentence in () if isinstance(value, dict) and RECORD & value.keys() else links:
            self._problem(sentence)
        if not isinstance(value, dict):
            self._problem(
                f"{self._where()} has {_kind(value)} where an object was expected: a release package, a record package "
                "or a compiled release."
            )
        elif RECORD & value.keys():
            self._number += 1
            yield from self._of_record(value)
        elif not any(isinstance(value.get(name), list) for name in LISTS):
            if listed := next((name for name in LISTS if isinstance(value.get(name), dict)), ""):
                yield from self.of(Part(listed, value[listed], part.line))
            elif what := _other(value):
                self._problem(f"{self._where()} is {what}; {EXPECTED}.")
            else:
                self._number += 1
                yield from self._release(value)

    def _of_record(self, record: Any) -> Iterator[Release]:
        where = f"{self._name}, record {self._number:,}"
        if not isinstance(record, dict):
            self._problem(f"{where} is no object; {EXPECTED}.")
            return
        compiled, listed = record.get("compiledRelease"), record.get("releases")
        if isinstance(listed, dict):
            listed = [listed]
        if isinstance(compiled, dict):
            yield from self._release({"ocid": record.get("ocid")} | compiled, is_compiled=True)
        elif isinstance(listed, list) and listed:
            for release in listed:
                yield from self._release(release, record.get("ocid"))
            links, self._links = self._links, []
            for sentence in links:
                self._problem(sentence)
        else:
            self._problem(
                f"{where} ({record.get('ocid', 'without an ocid')}) has neither a compiledRelease nor releases."
            )

    def _release(self, body: Any, ocid: Any = None, *, is_compiled: bool = False) -> Iterator[Release]:
        where = f"{self._where()}, number {self._number:,}"
        if body is None:
            return
        if not isinstance(body, dict) or ("url" in body and not SECTIONS & body.keys()):
            url = body.get("url") if isinstance(body, dict) else body
            self._links.append(
                f"{where}: the release is linked ({str(url)[:200]}), not embedded. Nothing is fetched here: download "
                "the releases, or a package that has them or a compiledRelease in it."
            )
            return
        try:
            body = normal({name: value for name, value in body.items() if name in KEPT})
        except RecursionError:
            self._problem(f"{where}: the release of {body.get('ocid')} is nested too deeply; it is left out.")
            return
        ocid = body.get("ocid") or identity(ocid)
        if not isinstance(ocid, str) or not ocid or is_nothing(ocid):
            self._problem(f"{where}: the release {body.get('id') or ''!r} has no ocid; it is left out.")
            return
        date = instant(body.get("date"))
        if not date:
            self._undated(f"{where}: the release {body.get('id') or ''!r} of {ocid} has no date that can be read.")
        is_compiled = is_compiled or "compiled" in texts(body.get("tag"))
        yield Release(ocid, date, is_compiled, body | {"ocid": ocid})

    def _where(self) -> str:
        return f"{self._name}, line {self._line:,}" if self._line > 1 else self._name


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "a text"
    return "a truth value" if isinstance(value, bool) else "a number"


def _other(value: dict[str, Any]) -> str:
    """What an object is that is neither a package nor a release; nothing where it is a release."""
    for name in LISTS:
        if name in value:
            return f"a package whose {name} are no list"
    if {"$schema", "definitions", "properties", "$ref"} & value.keys():
        return "a JSON schema, not data"
    if (SECTIONS | {"ocid", "tag"}) & value.keys():
        return ""
    return f"no OCDS: its keys are {names(value)}" if value else "an empty object"
