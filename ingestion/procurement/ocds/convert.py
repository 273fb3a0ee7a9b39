"""Spooled releases become events: process by process, and at the end the organisations that processes share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from ingestion.procurement.ocds.contracts import contracted
from ingestion.procurement.ocds.facts import compared
from ingestion.procurement.ocds.merge import Unmergeable
from ingestion.procurement.ocds.parties import ADDRESS, FLAGS, Party
from ingestion.procurement.ocds.persons import Persons
from ingestion.procurement.ocds.process import Process
from ingestion.procurement.ocds.releases import Problem, Release
from ingestion.procurement.ocds.shape import Event, Json, Shape, decoded, encoded
from ingestion.procurement.ocds.spool import Spool, together
from ingestion.procurement.ocds.state import State
from ingestion.procurement.ocds.statuses import Statuses
from ingestion.procurement.ocds.stored_processes import StoredParty, StoredProcesses
from ingestion.procurement.ocds.tenders import awarded, offered, planned, tendered

PARTY, PARTY_ADDRESS = "ocds.party", "ocds.address"
PARTS = (planned, tendered, offered, awarded, contracted, compared)
BATCH_PROCESSES, BATCH_BYTES = 200, 500_000
"""As much is asked for, kept and sent at a time."""

Given = tuple[str, list[tuple[str, Release]]]


class Conversion:
    """One passage over the spool. `problem` hears of processes that cannot be merged.

    `doubled` counts elements of lists that lost themselves in another one of the same id; `removed` rows that are no
    longer there.
    """

    def __init__(
        self, spool: Spool, statuses: Statuses, persons: Persons, problem: Problem, known: StoredProcesses, *,
        is_trial: bool = False,
    ) -> None:  # fmt: skip
        self._spool, self._problem = spool, problem
        self._known, self._is_trial = known, is_trial
        self.statuses, self.persons, self.shape, self.doubled, self.removed = statuses, persons, Shape(), 0, 0

    def events(self, every: int = 1) -> Iterator[Event]:
        """The events of all processes, or of one in so many. One passage at a time: the parties share the spool."""
        self._spool.forget_parties()
        for batch in self._batches(every):
            known = self._known.processes([ocid for ocid, _ in batch])
            states, events = {}, []
            for ocid, given in batch:
                state = State.of(known[ocid]) if ocid in known else State()
                state.take(given)
                if (process_events := self._of_process(ocid, state)) is not None:
                    states[ocid] = state.packed()
                    events += process_events
            if not self._is_trial:
                self._known.keep(states)
            yield from events
        yield from self._shared()

    def _batches(self, every: int) -> Iterator[list[Given]]:
        batch: list[Given] = []
        size = 0
        for ocid, taken, given in self._spool.processes(every):
            batch.append((ocid, given))
            size += taken
            if len(batch) == BATCH_PROCESSES or size > BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _of_process(self, ocid: str, state: State) -> list[Event] | None:
        try:
            release, doubled = state.compiled()
        except Unmergeable as problem:
            self._problem(f"The releases of {ocid} cannot be merged: {problem}; they are left out.")
            return None
        self.doubled += doubled
        process = Process(release, self.statuses, self.persons, self.shape)
        events = [event for part in PARTS for event in part(process)]
        # Last: the parts name parties, and with them their roles.
        for party_id, party in process.parties.known.items():
            if party.is_shared:
                self._spool.add_party(party_id, party.roles, process.changed_at, party.value)
            else:
                events += _party(party_id, party, process.changed_at)
        removals = list(state.removals(events, process.changed_at))
        self.removed += len(removals)
        return [*(event.of(state.version) for event in events), *removals]

    def _shared(self) -> Iterator[Event]:
        parties = self._spool.parties()
        while batch := list(islice(parties, BATCH_PROCESSES)):
            known = self._known.parties([party_id for party_id, *_ in batch])
            kept = {}
            for party_id, roles, date, body in batch:
                party_version = (roles, date, decoded(body))
                if one := known.get(party_id):
                    party_version = together((one.roles, one.date, decoded(one.body)), party_version)
                kept[party_id] = StoredParty(party_version[0], party_version[1], encoded(party_version[2]))
            if not self._is_trial:
                self._known.keep_parties(kept)
            for party_id, one in kept.items():
                yield from _party(party_id, Party(decoded(one.body), True, one.roles), one.date)


def _party(party_id: str, party: Party, changed_at: str) -> Sequence[Event]:
    """The party, and where its address is known that: OCDS knows one a party, without an id of its own."""
    flags = {flag: bool(party.roles & bit) for flag, bit in FLAGS.items()}
    value: Json = party.value | {"changed_at": changed_at}
    address = value.pop(ADDRESS, None)
    events = [Event(PARTY, party_id, value | flags)]
    if address:
        place = {name: value.get(name) for name in ("party_id", "country_code", "changed_at")}
        events.append(Event(PARTY_ADDRESS, party_id, place | {"address_id": party_id, "address": address}))
    return events
