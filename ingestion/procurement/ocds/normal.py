"""A release in the standard's own shape: lists where it has lists, ids as texts, no empty places in lists.

Publishers give one supplier as an object and not as a list of one, number what the standard names by texts, and leave
nulls in lists. Merging compares ids, so that 1 and "1" have to be one before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

ORGANISATIONS = frozenset({"parties", "suppliers", "tenderers"})
_LISTS = """
additionalClassifications additionalIdentifiers additionalProcurementCategories amendments awardIDs awards changes
contracts documents items lotGroups lots milestones relatedBids relatedItems relatedLots relatedProcesses roles
submissionMethod tag transactions
"""
LISTS = ORGANISATIONS | {*_LISTS.split()}
ORGANISATION = frozenset({"buyer", "payee", "payer", "procuringEntity"})
IDS = frozenset({"awardID", "awardIDs", "id", "ocid", "relatedBid", "relatedBids", "relatedItem", "relatedLot",
                 "relatedLots"})  # fmt: skip
NOTHING = frozenset({"<na>", "n/a", "na", "nan", "none", "null", "undefined"})
"""What programs write for an id that is not there."""


def normal(release: Json) -> Json:
    """The release as the standard would have it. Raises RecursionError where it is nested too deeply."""
    result = _object(release)
    bids = result.get("bids")
    if isinstance(bids, list):
        result["bids"] = {"details": bids}
    elif isinstance(bids, dict) and isinstance(bids.get("details"), dict):
        result["bids"] = bids | {"details": list(_listed(bids["details"], "details"))}
    return result


def identity(value: Any) -> Any:
    """An id as text: 7, 7.0 and "7" are one."""
    if isinstance(value, str):
        # No database takes a text with NUL.
        return value.replace("\0", "").strip()
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, Decimal) and value == value.to_integral_value() and value.adjusted() < 40:
        return str(int(value))
    return str(value) if isinstance(value, int | Decimal) else value


def is_nothing(string: str) -> bool:
    """Whether an id says that there is none."""
    return string.lower() in NOTHING


def _object(owner: Json) -> Json:
    return {name: _value(name, value) for name, value in owner.items()}


def _value(name: str, value: Any) -> Any:
    if value is None:
        # A null takes away what earlier releases said.
        return None
    if name in LISTS:
        return [_element(name, part) for part in _listed(value, name) if part is not None]
    if isinstance(value, dict):
        return _object(value)
    if isinstance(value, list):
        if name in ORGANISATION and len(value) == 1:
            return _value(name, value[0])
        return [_element(name, part) for part in value if part is not None]
    if name in ORGANISATION and isinstance(value, str):
        return {"name": value}
    return identity(value) if name in IDS else value


def _element(name: str, part: Any) -> Any:
    if isinstance(part, dict):
        return _object(part)
    if isinstance(part, list):
        return [_element(name, inner) for inner in part if inner is not None]
    if name in ORGANISATIONS and not isinstance(part, bool):
        return {"name": identity(part)}
    return identity(part) if name in IDS else part


def _listed(value: Any, name: str) -> Iterator[Any]:
    """The elements of a list, or of what stands there instead: one element, or an object of them by key."""
    if isinstance(value, list):
        yield from value
    elif isinstance(value, dict) and value and all(isinstance(part, dict) for part in value.values()):
        if name in ORGANISATIONS or not _is_keyed(value):
            # An organisation is not known by its place, and an object of objects may be one element without an id.
            yield from value.values() if _is_keyed(value) else (value,)
        else:
            yield from (part if part.get("id") is not None else part | {"id": key} for key, part in value.items())
    elif value != {}:
        yield value


def _is_keyed(value: Json) -> bool:
    """Whether an object holds elements by their place or their id: no field of an element is called so."""
    return not any(key.isalpha() and key[0].islower() for key in value)
