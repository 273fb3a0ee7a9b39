"""What is known of a process from one load to the next: its releases, and what was sent of it.

A process lives longer than a file. A compiled release replaces what was known until its date; other releases are merged
onto it in the order of their dates, and those without a date in the order in which they are given. What was sent once
and is no longer there is sent as removed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingestion.procurement.ocds.merge import merged
from ingestion.procurement.ocds.releases import Release
from ingestion.procurement.ocds.shape import Event, decoded, encoded
from ingestion.procurement.ocds.times import plain

Json = dict[str, Any]

KEYS = {
    "planning_item": "planning_item_id", "tender": "tender_id", "lot": "lot_id", "award": "award_id",
    "contract": "contract_id", "contract_item": "item_id", "milestone": "act_id", "transaction": "transaction_id",
    "party": "party_id", "address": "address_id", "bid": "application_id", "process": "process_id",
}  # fmt: skip
"""By kind of event, the field that names what it tells of. A bid's rows, one a lot, come and go with it."""
OWNERS = {"contract_item": "contract_id", "address": "party_id"}
"""What a row is not without, beside its own id."""


@dataclass
class State:
    """`base` is the compiled release that holds, `later` those after it. `version` counts the compiled releases without
    a date that held one after the other, since nothing else tells their events apart.

    `sent` has, by kind and id, the owner and since when it is gone.
    """

    base: Release | None = None
    later: list[Release] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    sent: dict[str, dict[str, list[str | None]]] = field(default_factory=dict)
    version: int = 0

    @classmethod
    def of(cls, packed: bytes) -> State:
        """From what `packed` made."""
        fields = decoded(zlib.decompress(packed))
        base = fields["base"]
        return cls(
            Release(**base) if base else None, [Release(**release) for release in fields["later"]], set(fields["seen"]),
            fields["sent"], fields["version"],
        )  # fmt: skip

    def packed(self) -> bytes:
        """To be kept."""
        fields = {
            "base": self.base, "later": self.later, "seen": sorted(self.seen), "sent": self.sent,
            "version": self.version,
        }  # fmt: skip
        return zlib.compress(encoded(fields), 1)

    def take(self, given: Sequence[tuple[str, Release]]) -> None:
        """Add releases, each with its digest, in the order in which they were given."""
        last = next((digest for digest, one in reversed(given) if one.is_compiled and not one.date), None)
        held = self.base.digest if self.base else None
        for digest, release in given:
            is_last = digest == last and not release.date and release.is_compiled
            if digest in self.seen and not (is_last and digest != held):
                continue
            self.seen.add(digest)
            # One without a date is as late as what was given before it.
            dated = Release(
                release.ocid, release.date or self._newest(), release.is_compiled, release.body, digest
            )  # fmt: skip
            if release.is_compiled:
                self._hold(dated)
            elif self.base is None or dated.date > self.base.date or not release.date:
                self.later = sorted([*self.later, dated], key=lambda one: one.date)
        if last and self.base and self.base.digest == last != held:
            self.version += 1

    def _newest(self) -> str:
        known = [*self.later, *((self.base,) if self.base else ())]
        return max((release.date for release in known), default="")

    def _hold(self, release: Release) -> None:
        if self.base is None or release.date >= self.base.date:
            self.base = release
            self.later = [one for one in self.later if one.date > release.date]

    def compiled(self) -> tuple[Json, int]:
        """The process as it is now, and how many elements of lists bore an id twice. Raises Unmergeable."""
        if self.base is not None and not self.later:
            return self.base.body | {"date": plain(self.base.date)}, 0
        releases = [*((self.base,) if self.base else ()), *self.later]
        release, doubled = merged([one.body | {"date": one.date} for one in releases])
        return release | {"date": plain(str(release["date"]))}, doubled

    def removals(self, events: Iterable[Event], changed_at: str) -> Iterator[Event]:
        """Events for the rows that were sent before and are not among these; remembers both."""
        now = {}
        for event in events:
            kind = event.kind.rpartition(".")[2]
            now[kind, event.value[KEYS[kind]]] = event.value.get(OWNERS.get(kind, ""))
        for (kind, row), owner in now.items():
            self.sent.setdefault(kind, {})[row] = [owner, None]
        for kind, rows in self.sent.items():
            for row, fields in rows.items():
                if (kind, row) not in now:
                    since = fields[1] = changed_at if fields[1] is None else fields[1]
                    yield _removal(kind, row, fields[0] or "", since)


def _removal(kind: str, entity: str, owner: str, changed_at: str) -> Event:
    value: Json = {"is_published": False, "changed_at": changed_at, KEYS[kind]: entity}
    if kind in OWNERS:
        value[OWNERS[kind]] = owner
    if kind == "bid":
        value["app_lots"] = [{"id": entity}]
    return Event(f"ocds.{kind}", entity, value)
