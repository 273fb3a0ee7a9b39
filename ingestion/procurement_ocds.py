"""Procurement of any country from files of OCDS: releases are merged to processes, and these make events.

The releases are first put on disk in the order of their processes, so that those of one process may be scattered over
all files, and memory follows the largest process. Ids come from content: the same files sent again add nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

import click

from ingestion.errors import Unreadable
from ingestion.message import Message, cloud_event, instant
from ingestion.ocds.convert import PARTY, PARTY_ADDRESS, Conversion
from ingestion.ocds.files import JsonFile, found
from ingestion.ocds.persons import Persons
from ingestion.ocds.releases import Problem, releases
from ingestion.ocds.shape import Event, written
from ingestion.ocds.spool import Spool
from ingestion.ocds.statuses import Statuses
from ingestion.publish import Say
from ingestion.registry import Around, Source
from schemas.procurement import COLLECTION, STANDIN_COLLECTION, TOPIC

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
SHOWN_PROBLEMS = 20
SAMPLE = 200
"""About so many processes are made into events beforehand, to know how many events to expect."""


class OcdsFiles:
    """Opening it reads everything; raises Unreadable before anything is sent. `say` hears what is left out and why.

    `total` is exact up to 400 processes, else reckoned from 200 or more of them.
    """

    topic = TOPIC
    again = "Running it again completes the rest and doubles nothing: ids come from content."

    def __init__(
        self, path: Path, collection: str, say: Say, now: datetime, persons: Persons, statuses: Path | None = None
    ) -> None:  # fmt: skip
        self._say, self._fetched_at, self._collection = say, instant(now), collection
        self._tables, self._persons = (statuses,) if statuses else (), persons
        self._spool, self.problems = Spool(), 0
        self._conversion = self._converted(self._problem)
        for file in map(JsonFile, found(path, say)):
            say(f"Reading {file.name} …")
            for release in releases(file, self._problem):
                try:
                    self._spool.add(release)
                except RecursionError:
                    raise Unreadable(f"{file.name}: the release of {release.ocid} is nested too deeply.") from None
        self.releases, self.processes = self._spool.ready()
        if not self.processes:
            raise Unreadable(f"{path.name} has no release with an ocid and a date; nothing can be sent.")
        say(f"{path.name}: {self.releases:,} releases of {self.processes:,} processes.")
        self.total = self._expected()

    def figures(self) -> dict[str, int]:
        done = self._conversion
        return {
            "releases": self.releases, "processes": self.processes, "release_problems": self.problems,
            "left_out": done.shape.odd.total(), "doubled_ids": done.doubled,
            "unknown_statuses": done.statuses.unknown.total(),
        }  # fmt: skip

    def closing(self) -> str:
        """What the summary adds."""
        done, odd = self._conversion, self._conversion.shape.odd
        left = f"{self.problems:,} releases or processes were left out, as told above." if self.problems else ""
        parts = ", ".join(f"{count:,} {what}" for what, count in odd.most_common())
        doubled = f"{done.doubled:,} elements of lists had the id of another one, and became one with it."
        told = (left, parts and f"Left out: {parts}.", doubled if done.doubled else "", done.statuses.sentence())
        return " ".join(filter(None, told))

    def messages(self) -> Iterator[Message]:
        """One event an entity, process by process, and at the end one a party."""
        self._conversion = self._converted(self._problem)
        return map(self._message, self._conversion.events())

    def _converted(self, problem: Problem) -> Conversion:
        return Conversion(self._spool, Statuses(*self._tables), self._persons, problem)

    def _expected(self) -> int:
        every = max(1, self.processes // SAMPLE)
        trial = self._converted(lambda _: None)
        kinds = Counter(event.kind in (PARTY, PARTY_ADDRESS) for event in trial.events(every))
        # The same parties take part in many processes.
        return kinds[False] * every + kinds[True]

    def _problem(self, sentence: str) -> None:
        self.problems += 1
        if self.problems <= SHOWN_PROBLEMS:
            self._say(sentence)
        elif self.problems == SHOWN_PROBLEMS + 1:
            self._say("Further ones are counted, not shown.")

    def _message(self, event: Event) -> Message:
        value = written(event.value)
        key = f"{self._collection}:{event.kind}:{event.entity}"
        event_id = f"{key}:{blake2b(value, digest_size=8).hexdigest()}"
        headers = cloud_event(event_id, event.kind, f"ocds:{self._collection}", self._fetched_at)
        headers.append(("collection", self._collection.encode()))
        return Message(event_id, key.encode(), value, headers, lines=event.lines)


def _collection(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if value in (COLLECTION, STANDIN_COLLECTION):
        raise click.BadParameter(f"{value} is the register's own; no collection mixes two publishers.")
    if not NAME.fullmatch(value):
        raise click.BadParameter(
            f"{value!r} is no name of a collection: small letters, digits, _ - and . were expected, at most 64."
        )
    return value


def _open(
    around: Around, *, path: Path, collection: str, statuses: Path | None, persons: Path | None
) -> OcdsFiles:  # fmt: skip
    known = Persons(around.settings().secrets.person, *((persons,) if persons else ()))
    return OcdsFiles(path, collection, around.say, around.now, known, statuses)


SOURCE = Source(
    "procurement.ocds",
    "Procurement from OCDS: packages of releases or records, compiled releases; JSON or JSON Lines, gz or plain.",
    (
        click.Argument(["path"], type=click.Path(path_type=Path), metavar="FILE_OR_FOLDER"),
        click.Option(
            ["--collection"], required=True, callback=_collection, help="The publisher, or set of files, by a name."
        ),
        click.Option(
            ["--statuses"], type=click.Path(path_type=Path), help="CSV of stage,status,status_code: what statuses mean."
        ),
        click.Option(
            ["--persons"], type=click.Path(path_type=Path),
            help="CSV of scheme,number: which identifiers are natural persons', the number a regular expression.",
        ),
    ),
    _open,
)  # fmt: skip
