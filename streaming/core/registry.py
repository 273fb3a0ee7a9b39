"""What becomes of each topic's records: which cleaning function or mapping fills which silver table.

A domain is added by a module in `streaming/` with decorated functions or one call; no list is edited. What is declared
in `schemas/` and filled by nothing is refused, when the stream starts and by a test.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import streaming
from conf.discovery import modules_below
from schemas.contract import Contract, contract, tables
from streaming.core import field_mapping, parse
from streaming.core.domain import Branch, Domain, Step

NOT_DOMAINS = ("core", "run")
"""What stands in `streaming/` and is no domain."""


class NotComplete(Exception):
    """What is declared and what is registered do not fit together; the message says what to do."""


@dataclass(frozen=True)
class _Entry:
    """A branch as it was registered, before it is known which others take its events."""

    branch: Branch
    bronze: Contract
    is_live: bool
    has_every_event: bool = True
    """Whether each accepted event has a row in the table."""


class Registry:
    """What the modules of `streaming/` have registered, beside the tables that are declared."""

    def __init__(self, declared: Callable[[], Sequence[Contract]] = tables) -> None:
        self._declared = declared
        self._entries: dict[str, _Entry] = {}

    def cleans(
        self, silver: type, *, event: type | None = None, rows_at: str | None = None, main: bool | None = None,
        live: bool = True,
    ) -> Callable[[Step], Step]:  # fmt: skip
        """Register the function that makes the rows of `silver` from the accepted events of its topic.

        It gets one row for each element of the event's list `rows_at`, or, where that is "", one row an event: the
        envelope, `line_no`, the element as the struct `line`, and all parsed fields as the struct `e`. It adds the
        contract's columns and keeps the columns that are there; only a table that is not `main` may leave rows out.

        Without `rows_at` the event's only list is taken, or the event where it has none. `event` is needed where the
        topic has several. Of several tables of one event, one is `main`; see `Branch`. A domain that is not `live`
        reaches ClickHouse by way of the lake.
        """
        table = contract(silver)

        def registered(function: Step) -> Step:
            bronze = _bronze(table)
            chosen = _event(table, bronze, event)
            listed = _list(table, chosen, rows_at)
            # A topic with one event takes its records whatever type they name, for not every producer names one.
            types = frozenset((chosen.event_type,)) if len(bronze.built_from) > 1 else frozenset[str]()
            exploded = partial(parse.exploded, event=chosen, listed=listed)
            branch = Branch(table, exploded, function, partial(parse.refused, event=chosen), types, bool(main))
            self._add(_Entry(branch, bronze, live, not listed or _has_elements(chosen, listed)))
            return function

        return registered

    def maps(self, feed: type, *, person_code: str = "") -> None:
        """Register every silver table of a feed: by `fed_by` it says which event types it takes, by `source_fields`
        where its columns are read.

        `person_code` is a regular expression for the codes that are a person's; they are masked. Such a domain has no
        live lane.
        """
        source = contract(feed)
        for silver in self._of_layer("silver"):
            if silver.fed_by and source in (bronze := _bronze(silver)).built_from:
                self._add(_Entry(field_mapping.branch(silver, person_code), bronze, is_live=False))

    def _of_layer(self, layer: str) -> list[Contract]:
        return [table for table in self._declared() if table.layer == layer]

    def _add(self, entry: _Entry) -> None:
        name = entry.branch.silver.name
        if name in self._entries:
            raise ValueError(f"{name} is filled by two functions; a silver table has one")
        self._entries[name] = entry

    def domains(self) -> tuple[Domain, ...]:
        """Every domain, by name. Raises NotComplete where a table that the streams must fill is filled by nothing, or
        tables do not go together."""
        by_bronze: dict[str, list[_Entry]] = {}
        for entry in self._entries.values():
            by_bronze.setdefault(entry.bronze.name, []).append(entry)
        if wrong := list(self._unfilled(by_bronze.keys())):
            raise NotComplete("\n".join(wrong))
        assembled = [_domain(entries, self._of_layer("quarantine")) for entries in by_bronze.values()]
        names = [domain.name for domain in assembled]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise NotComplete(f"the domain {', '.join(twice)} has two topics; a topic is a domain of its own")
        return tuple(sorted(assembled, key=lambda domain: domain.name))

    def _unfilled(self, bronzes: Collection[str]) -> Iterator[str]:
        """A sentence for each table of the streams that nothing fills."""
        corrections = {table.superseded_by.name for table in self._declared() if table.superseded_by is not None}
        for table in self._of_layer("bronze"):
            if table.refresh == "stream" and table.name not in bronzes:
                yield f"nothing takes the records of {table.name}; add streaming/{table.domain}.py"
        for table in self._of_layer("silver"):
            if table.refresh == "stream" and table.name not in {*self._entries, *corrections}:
                yield f"nothing fills {table.name}; add a function with @cleans to streaming/{table.domain}.py"


def _bronze(silver: Contract) -> Contract:
    sources = [source for source in silver.built_from if source.layer == "bronze"]
    if len(sources) != 1:
        raise ValueError(f"{silver.name} must be built from one bronze table, and is from {len(sources)}")
    return sources[0]


def _event(silver: Contract, bronze: Contract, named: type | None) -> Contract:
    events = [source for source in bronze.built_from if source.kind == "event"]
    if named is not None:
        chosen = contract(named)
        if chosen not in events:
            raise ValueError(f"{silver.name} is cleaned from {chosen.name}, which {bronze.name} does not hold")
        return chosen
    if len(events) != 1:
        raise ValueError(
            f"{bronze.name} holds {len(events)} kinds of events; say by event= which of them {silver.name} is made of"
        )
    return events[0]


def _list(silver: Contract, event: Contract, rows_at: str | None) -> str:
    lists = [str(c) for c in event.columns if c.items is not None]
    if optional := [c for c in lists if event.column(c).optional]:
        # What cannot be read of it would look as if it were not there.
        raise ValueError(f"{event.name}: the list {optional[0]} cannot be optional; what is empty is an empty list")
    if rows_at is None:
        if len(lists) > 1:
            raise ValueError(
                f"{event.name} has the lists {', '.join(lists)}; say by rows_at= which of them {silver.name} has, or "
                'rows_at="" for the event itself'
            )
        return lists[0] if lists else ""
    if rows_at and rows_at not in lists:
        raise ValueError(f"{event.name} has no list {rows_at}; it has {', '.join(lists) or 'none'}")
    return rows_at


def _has_elements(event: Contract, listed: str) -> bool:
    return any(rule.name.startswith("min_items(") for rule in event.column(listed).rules)


def _domain(entries: list[_Entry], quarantines: list[Contract]) -> Domain:
    bronze = entries[0].bronze
    quarantines = [table for table in quarantines if bronze in table.built_from]
    if len(quarantines) != 1:
        raise NotComplete(f"{bronze.name} needs one quarantine table that is built from it, and has {len(quarantines)}")
    lives = {entry.is_live for entry in entries}
    if len(lives) > 1:
        raise NotComplete(f"{bronze.domain} has tables that are filled live and others that are not")
    (is_live,) = lives
    branches: list[Branch] = []
    for together in _by_types(entries):
        branches += _with_main(together)
    if is_live and (unserved := [b.silver.name for b in branches if b.silver.clickhouse is None]):
        raise NotComplete(f"{unserved[0]} is not in ClickHouse, which is all that its domain's live lane fills")
    order = {entry.branch.silver.name: number for number, entry in enumerate(entries)}
    return Domain(bronze, quarantines[0], tuple(sorted(branches, key=lambda b: order[b.silver.name])), is_live)


def _by_types(entries: list[_Entry]) -> Iterable[list[_Entry]]:
    """Those that take the same events together. Raises NotComplete where some of their events are the same."""
    groups: dict[frozenset[str], list[_Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.branch.types, []).append(entry)
    takers: dict[str, _Entry] = {}
    for types, together in groups.items():
        for event_type in types:
            other = takers.setdefault(event_type, together[0])
            if other is not together[0] or (len(together) > 1 and together[0].branch.silver.fed_by):
                first, second = other.branch.silver.name, together[-1].branch.silver.name
                raise NotComplete(f"events of the type {event_type} would feed both {first} and {second}")
    return groups.values()


def _with_main(together: list[_Entry]) -> list[Branch]:
    """The branches of the same events, one of which is main."""
    names = ", ".join(entry.branch.silver.name for entry in together)
    if len(together) == 1:
        mains = together
    else:
        mains = [entry for entry in together if entry.branch.main]
        if len(mains) != 1:
            raise NotComplete(
                f"{names} are made of the same events: give main=True to one of them, the one in which an event is "
                "looked for when it comes again"
            )
    if not mains[0].has_every_event:
        raise NotComplete(
            f"{mains[0].branch.silver.name} has no row of an event whose list is empty, so it cannot tell which events "
            'were accepted: add a table of the event itself (rows_at="") with main=True, or the rule min_items(1) to '
            "the list"
        )
    return [replace(entry.branch, main=entry is mains[0]) for entry in together]


_registry = Registry()
cleans, maps = _registry.cleans, _registry.maps


@lru_cache(maxsize=1)
def domains() -> tuple[Domain, ...]:
    """Every registered domain, found by importing all that stands in `streaming/`. Raises NotComplete."""
    modules_below(streaming, skip=NOT_DOMAINS)
    return _registry.domains()


def chosen_domains(names: Collection[str]) -> tuple[Domain, ...]:
    """The domains of these names. Raises NotComplete for a name that no domain has."""
    known = {domain.name: domain for domain in domains()}
    if unknown := sorted(set(names) - known.keys()):
        raise NotComplete(f"there is no domain {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(domain for name, domain in known.items() if name in names)


def domains_of_process(groups: Sequence[Sequence[str]], number: int) -> tuple[Domain, ...]:
    """The domains of one of the processes, from 1, that share all of them; `*` stands for all that are not named.

    Raises NotComplete where a domain would run in no process.
    """
    if number > len(groups):
        raise NotComplete(f"SAUDA_STREAM_PROCESSES names {len(groups)} processes, so there is no process {number}")
    named = {name for group in groups for name in group} - {"*"}
    others = [domain.name for domain in domains() if domain.name not in named]
    if others and not any("*" in group for group in groups):
        raise NotComplete(f"SAUDA_STREAM_PROCESSES leaves out {', '.join(others)}; `*` stands for all others")
    return chosen_domains([name for each in groups[number - 1] for name in (others if each == "*" else [each])])
