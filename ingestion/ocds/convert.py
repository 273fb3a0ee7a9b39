"""Spooled releases become events: process by process, and at the end the parties, each once with all its roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from ingestion.ocds.contracts import contracted
from ingestion.ocds.merge import Unmergeable, merged
from ingestion.ocds.parties import ADDRESS, FLAGS
from ingestion.ocds.persons import Persons
from ingestion.ocds.process import Process
from ingestion.ocds.releases import Problem
from ingestion.ocds.shape import Event, Shape, written
from ingestion.ocds.spool import Spool
from ingestion.ocds.statuses import Statuses
from ingestion.ocds.tenders import offered, planned, tendered

PARTY, PARTY_ADDRESS = "ocds.party", "ocds.address"


class Conversion:
    """One passage over the spool. `problem` hears of processes that cannot be merged.

    `doubled` counts elements of lists that lost themselves in another one of the same id.
    """

    def __init__(self, spool: Spool, statuses: Statuses, persons: Persons, problem: Problem) -> None:
        self._spool, self._problem = spool, problem
        self.statuses, self.persons, self.shape, self.doubled = statuses, persons, Shape(), 0

    def events(self, every: int = 1) -> Iterator[Event]:
        """The events of all processes, or of one in so many. One passage at a time: the parties share the spool."""
        self._spool.forget_parties()
        for is_compiled, releases in self._spool.processes(every):
            release = releases[0] if is_compiled else self._merged(releases)
            if release is not None:
                yield from self._of_process(Process(release, self.statuses, self.persons, self.shape))
        for party_id, roles, changed_at, body in self._spool.parties():
            flags = {flag: bool(roles & bit) for flag, bit in FLAGS.items()}
            value = orjson.loads(body) | {"changed_at": changed_at}
            address = value.pop(ADDRESS, None)
            yield Event(PARTY, party_id, value | flags)
            if address:
                # OCDS knows one address a party, without an id of its own.
                place = {name: value.get(name) for name in ("party_id", "country_code", "changed_at")}
                yield Event(PARTY_ADDRESS, party_id, place | {"address_id": party_id, "address": address})

    def _merged(self, releases: list[dict[str, Any]]) -> dict[str, Any] | None:
        try:
            release, doubled = merged(releases)
        except Unmergeable as problem:
            self._problem(f"The releases of {releases[0]['ocid']} cannot be merged: {problem}; they are left out.")
            return None
        self.doubled += doubled
        return release

    def _of_process(self, process: Process) -> Iterator[Event]:
        for part in (planned, tendered, offered, contracted):
            yield from part(process)
        # Last: the parts name parties, and with them their roles.
        for party_id, party in process.parties.known.items():
            self._spool.add_party(party_id, party.roles, process.changed_at, written(party.value))
