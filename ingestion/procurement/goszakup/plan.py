"""What a run asks: decided from the state before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import quote

from ingestion.collecting.state import KnownRegister, State, Walk
from ingestion.core.errors import Unreadable
from ingestion.procurement.goszakup.cursor import first_address
from schemas.procurement.endpoints import ENDPOINTS, Endpoint, by_name, details, registers

WEEK = timedelta(days=7)
OVERLAP = timedelta(days=1)
"""The journal is asked from so long before the last time: it knows days only, and is written late."""
JOURNAL_ON = "journal asked on"
"""A fact of the state: up to this day all changes of all registers were taken in."""
LOADED_ON = "first load began on"
"""A fact of the state: before this day nothing was collected that could have changed since."""


@dataclass(frozen=True)
class CollectionRequest:
    """What the user wants. `names` are those of --register, empty for the usual load; `details` those of --details."""

    names: tuple[str, ...] = ()
    since: date | None = None
    full: bool = False
    details: tuple[str, ...] = ()

    @property
    def load(self) -> str:
        """What a run that breaks off is gone on with by: nothing where single registers are named."""
        return "" if self.names else "full" if self.full else "daily"

    def goes_on_since(self, today: date) -> date:
        """A full load may take days. A daily one is of one day."""
        return today - WEEK if self.full else today


@dataclass(frozen=True)
class Lookup:
    """One question that is asked and forgotten: an endpoint and what stands in the place of its parameter."""

    endpoint: Endpoint
    value: str

    @property
    def path(self) -> str:
        return filled_path(self.endpoint, self.value)


@dataclass(frozen=True)
class Plan:
    """Walks of registers, lookups, and the walk of the journal, where there is one."""

    walks: tuple[Walk, ...]
    lookups: tuple[Lookup, ...]
    journal: Walk | None


def filled_path(endpoint: Endpoint, value: str) -> str:
    """The endpoint's path with a value in the place of its parameter."""
    safe = quote(value, safe="")
    if "{" in endpoint.path:
        before, _, rest = endpoint.path.partition("{")
        return before + safe + rest.partition("}")[2]
    return f"{endpoint.path}?{endpoint.parameter}={safe}" if endpoint.parameter else endpoint.path


def make_plan(state: State, request: CollectionRequest, today: date, limit: int) -> Plan:
    """Raises Unreadable for a register that does not exist, lacks its value, or is to have sub-lists and has none."""
    _check_details(request.details)
    named = [_named(name) for name in request.names]
    lookups = tuple(Lookup(endpoint, value) for endpoint, value in named if _is_lookup(endpoint))
    chosen = [endpoint for endpoint, _ in named if not _is_lookup(endpoint) and endpoint.mode != "changes"]
    if not named:
        walked = state.walked(request.load, request.goes_on_since(today))
        # The head of a register is asked for all the same: it is one page, and no row of it comes again.
        left = [e for e in registers() if e.name not in walked or (e.mode == "head" and not request.full)]
        chosen = [e for e in left if request.full or _is_due(e, state.known(e.name), today)]
        chosen += [e for e in registers() if e not in chosen and state.walk(e.name)]
    walks = tuple(_walk(state, endpoint, request.full, today, limit) for endpoint in chosen)
    is_journal_named = any(endpoint.mode == "changes" for endpoint, _ in named)
    journal = None
    if is_journal_named or request.since or not (named or request.full):
        journal = _journal(state, request, today, limit, is_journal_named)
    return Plan(walks, lookups, journal)


def follow_up_walk(state: State, endpoint: Endpoint, today: date, limit: int) -> Walk | None:
    """The walk that follows one that was taken up again: what is newer than its beginning."""
    known = state.known(endpoint.name)
    if endpoint.mode != "head" or known is None or not known.head:
        return None
    return _walk(state, endpoint, False, today, limit)


def _check_details(names: Iterable[str]) -> None:
    have = sorted({e.parent for e in ENDPOINTS if e.parent and details(e.parent)})
    for name in names:
        if name not in have:
            raise Unreadable(f"{name!r} has no sub-lists to fetch with its rows; {', '.join(have)} have.")


def _named(text: str) -> tuple[Endpoint, str]:
    name, _, value = text.partition("=")
    endpoint = by_name().get(name)
    if endpoint is None:
        raise Unreadable(f"No register is called {name!r}; there are {', '.join(by_name())}.")
    if endpoint.parameter and not value:
        raise Unreadable(f"{name} asks for a {endpoint.parameter}: write --register {name}=VALUE.")
    if endpoint.answer == "graphql" and not value:
        raise Unreadable("graphql asks for a query: write --register 'graphql={ Lots(limit: 50) { id } }'.")
    if value and not endpoint.parameter and endpoint.answer != "graphql":
        raise Unreadable(f"{name} takes no value; {value!r} was given.")
    return endpoint, value


def _is_lookup(endpoint: Endpoint) -> bool:
    return bool(endpoint.parameter) or endpoint.answer != "page"


def _is_due(endpoint: Endpoint, known: KnownRegister | None, today: date) -> bool:
    if endpoint.schedule == "daily" or known is None:
        return True
    return today - date.fromisoformat(known.walked_on) >= WEEK


def _walk(state: State, endpoint: Endpoint, full: bool, today: date, limit: int) -> Walk:
    begun = state.walk(endpoint.name)
    if begun and (begun.mode == "full" or not full):
        return begun
    known = state.known(endpoint.name)
    first = first_address(endpoint.path, own_parameters(endpoint, limit))
    if full or endpoint.mode != "head" or known is None or not known.head:
        return Walk(endpoint.name, "full", first, started_on=today.isoformat())
    return Walk(endpoint.name, "head", first, until=known.head, started_on=today.isoformat())


def _journal(state: State, request: CollectionRequest, today: date, limit: int, is_named: bool) -> Walk | None:
    """None on the very first run: there is nothing yet that could have changed."""
    journal = by_name()["journal"]
    begun = state.walk(journal.name)
    last = state.fact(JOURNAL_ON)
    only = _only(request)
    if begun and _goes_on(begun, request, only, last):
        return begun
    if request.since:
        since = request.since
    elif last or is_named:
        day = last or state.fact(LOADED_ON)
        since = (date.fromisoformat(day) if day else today) - OVERLAP
    else:
        return None
    own = own_parameters(journal, limit, since.isoformat())
    return Walk(
        journal.name, "changes", first_address(journal.path, own), until=since.isoformat(),
        started_on=today.isoformat(), only=only,
    )  # fmt: skip


def _goes_on(begun: Walk, request: CollectionRequest, only: str, last: str) -> bool:
    """Whether a walk of the journal that was broken off is the one that is asked for now.

    Pages that were read for some registers only, or from a day after the last time, are no part of any other walk.
    """
    if begun.only != only:
        return False
    if request.since:
        return begun.until == request.since.isoformat()
    return not last or begun.until <= last


def _only(request: CollectionRequest) -> str:
    return ",".join(sorted({_named(name)[0].name for name in request.names} - {"journal"}))


def loaded_on(state: State, walks: Iterable[Walk]) -> str:
    """The day on which the first load began of what the journal tells of; empty where there was none."""
    plan_lines = {endpoint.name for endpoint in registers() if endpoint.services}
    known = [known.walked_on for name in plan_lines if (known := state.known(name))]
    days = [state.fact(LOADED_ON), *known, *(walk.started_on for walk in walks if walk.register in plan_lines)]
    return min(filter(None, days), default="")


def journal_reached(state: State, walk: Walk) -> str:
    """The day up to which all changes are known once this walk of the journal is at its end.

    One for some registers only, or from a day after the last time, leaves a gap and moves nothing.
    """
    before = state.fact(JOURNAL_ON) or state.fact(LOADED_ON)
    if walk.only or (before and walk.until > before):
        return before
    return max(walk.started_on, before)


def own_parameters(endpoint: Endpoint, limit: int, since: str = "") -> dict[str, str]:
    """What we ask each page of a list with."""
    own = {"date_from": since} if endpoint.mode == "changes" and since else {}
    return own | {"limit": str(limit)}


def plan_lines(plan: Plan, base: str) -> Sequence[str]:
    """The plan as lines: the first request of each walk, how it goes on, and from where."""
    lines = []
    for walk in (*plan.walks, *filter(None, [plan.journal])):
        where = f"from the cursor {walk.search_after}" if walk.search_after else "from its beginning"
        until = f" until the known id {walk.until}" if walk.mode == "head" else ""
        if walk.mode == "changes":
            where = f"changes since {walk.until}, {where}"
        lines.append(f"GET {base}{walk.address}  {walk.register}: {walk.mode}, {where}{until}")
    for lookup in plan.lookups:
        lines.append(f"{lookup.endpoint.method} {base}{lookup.path}  {lookup.endpoint.name}: once")
    return lines
