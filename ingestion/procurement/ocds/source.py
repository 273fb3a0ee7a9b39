"""Procurement of any country from files of OCDS: releases are merged to processes, and these make events.

The releases are first put on disk in the order of their processes, so that those of one process may be scattered over
all files, and memory follows the largest process. They are merged with what is known of the process from earlier
loads, which PostgreSQL keeps. Ids come from content: the same files sent again add nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from hashlib import blake2b
from pathlib import Path

import click

from ingestion.core.errors import Unreadable
from ingestion.core.message import Message, cloud_event, instant
from ingestion.core.publish import Say
from ingestion.core.registry import RunContext, Source
from ingestion.procurement.ocds.convert import PARTY, PARTY_ADDRESS, Conversion
from ingestion.procurement.ocds.files import JsonFile, find_files
from ingestion.procurement.ocds.persons import Persons
from ingestion.procurement.ocds.releases import Problem, releases
from ingestion.procurement.ocds.shape import Event, written
from ingestion.procurement.ocds.spool import Spool
from ingestion.procurement.ocds.statuses import Statuses
from ingestion.procurement.ocds.stored_processes import NothingStored, PostgresProcesses, StoredProcesses
from schemas.procurement import COLLECTION, STANDIN_COLLECTION, TOPIC

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
SHOWN_PROBLEMS = 20
SHOWN_CURRENCIES = 8
SAMPLE = 200
"""About so many processes are made into events beforehand, to know how many events to expect."""


class OcdsFiles:
    """Opening it reads everything; raises Unreadable before anything is sent, where nothing can be read. `say` hears
    what is left out and why; the rest is loaded. `known` opens what earlier loads left.

    `total` is exact up to 400 processes, else reckoned from 200 or more of them.
    """

    topic = TOPIC
    again = "Running it again completes the rest and doubles nothing: ids come from content."

    def __init__(
        self, path: Path, collection: str, say: Say, now: datetime, persons: Persons, statuses: Path | None = None,
        known: Callable[[], StoredProcesses] = NothingStored,
    ) -> None:  # fmt: skip
        self._say, self._fetched_at, self._collection = say, instant(now), collection
        self._tables, self._persons = (statuses,) if statuses else (), persons
        self._spool, self._problems, self._undated, self.files_left_out = Spool(), list[str](), 0, 0
        self.problems = 0
        self._known: StoredProcesses = NothingStored()
        # Wrong tables are told of before anything is read.
        self._converted()
        for file in find_files(path, say):
            self._read(file)
        self.releases, self.processes = self._spool.ready()
        if not self.processes:
            raise Unreadable(self._problems[0] if len(self._problems) == 1 else self._nothing(path))
        say(f"{path.name}: {self.releases:,} releases of {self.processes:,} processes.")
        if self._undated:
            say(f"{self._undated:,} of them have no date that can be read: the order in which they stand decides.")
        self._known = known()
        self._conversion = self._converted()
        self.total = self._expected()

    def figures(self) -> dict[str, int]:
        done = self._conversion
        return {
            "releases": self.releases, "processes": self.processes, "release_problems": self.problems,
            "files_left_out": self.files_left_out, "undated": self._undated, "left_out": done.shape.odd.total(),
            "doubled_ids": done.doubled, "unknown_statuses": done.statuses.unknown.total(),
            "unknown_currencies": done.shape.currencies.total(), "removed": done.removed,
        }  # fmt: skip

    def closing(self) -> str:
        """What the summary adds."""
        done, odd = self._conversion, self._conversion.shape.odd
        left = f"{self.problems:,} files, lines, releases or processes were left out, as told above; all else is sent."
        parts = ", ".join(f"{count:,} {what}" for what, count in odd.most_common())
        doubled = f"{done.doubled:,} elements of lists had the id of another one, and became one with it."
        removed = f"{done.removed:,} rows that earlier versions had are gone, and were sent as removed."
        sentences = (
            left if self.problems else "", parts and f"Left out: {parts}.", doubled if done.doubled else "",
            removed if done.removed else "", _of_currencies(done.shape.currencies), done.statuses.sentence(),
        )  # fmt: skip
        return " ".join(filter(None, sentences))

    def messages(self) -> Iterator[Message]:
        """One event an entity, process by process, and at the end one a party that processes share."""
        self._conversion = self._converted(self._problem)
        try:
            yield from map(self._message, self._conversion.events())
        finally:
            self._known.close()

    def _read(self, path: Path) -> None:
        """Put a file's releases on disk, all of them or none."""
        mark = self._spool.mark()
        try:
            file = JsonFile(path)
            self._say(f"Reading {file.name} …")
            for release in releases(file, self._problem, self._of_no_date):
                try:
                    self._spool.add(release)
                except RecursionError:
                    self._problem(f"{file.name}: the release of {release.ocid} is nested too deeply; it is left out.")
        except Unreadable as problem:
            self._spool.discard(mark)
            self.files_left_out += 1
            self._problem(str(problem))

    def _nothing(self, path: Path) -> str:
        """Why there is nothing to send."""
        of = f"; {len(self._problems):,} files, lines or releases cannot be read" if self._problems else ""
        return f"{path.name} has no release with an ocid{of}; nothing can be sent."

    def _converted(self, problem: Problem | None = None) -> Conversion:
        on_problem, statuses = problem or (lambda _: None), Statuses(*self._tables)
        return Conversion(self._spool, statuses, self._persons, on_problem, self._known, is_trial=problem is None)

    def _expected(self) -> int:
        every = max(1, self.processes // SAMPLE)
        counted = Counter(event.kind in (PARTY, PARTY_ADDRESS) for event in self._converted().events(every))
        # The same parties take part in many processes.
        return counted[False] * every + counted[True]

    def _of_no_date(self, _: str) -> None:
        self._undated += 1

    def _problem(self, sentence: str) -> None:
        self.problems += 1
        if self.problems <= SHOWN_PROBLEMS:
            self._problems.append(sentence)
            self._say(sentence)
        elif self.problems == SHOWN_PROBLEMS + 1:
            self._say("Further ones are counted, not shown.")

    def _message(self, event: Event) -> Message:
        value = written(event.value)
        key = f"{self._collection}:{event.kind}:{event.entity}"
        version = b"%d" % event.version if event.version else b""
        event_id = f"{key}:{blake2b(value + version, digest_size=8).hexdigest()}"
        headers = cloud_event(event_id, event.kind, f"ocds:{self._collection}", self._fetched_at)
        headers.append(("collection", self._collection.encode()))
        return Message(event_id, key.encode(), value, headers, lines=event.lines)


def _of_currencies(unknown: Counter[str]) -> str:
    """What currencies ISO 4217 does not know, in words; nothing where it knows all."""
    if not unknown:
        return ""
    most = ", ".join(f"{name!r} ({count:,})" for name, count in unknown.most_common(SHOWN_CURRENCIES))
    more = f" and {len(unknown) - SHOWN_CURRENCIES:,} more" if len(unknown) > SHOWN_CURRENCIES else ""
    return f"Warning: currencies that ISO 4217 does not have were kept as they are: {most}{more}."


def _collection(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if value in (COLLECTION, STANDIN_COLLECTION):
        raise click.BadParameter(f"{value} is the register's own; no collection mixes two publishers.")
    if not NAME.fullmatch(value):
        raise click.BadParameter(
            f"{value!r} is no name of a collection: small letters, digits, _ - and . were expected, at most 64."
        )
    return value


def _open(
    context: RunContext, *, path: Path, collection: str, statuses: Path | None, persons: Path | None
) -> OcdsFiles:  # fmt: skip
    settings = context.settings()
    who = Persons(settings.secrets.person, *((persons,) if persons else ()))
    known = partial(PostgresProcesses, settings, collection)
    return OcdsFiles(path, collection, context.say, context.now, who, statuses, known)


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
