"""Releases of one process merged to its compiled release, with the community's library."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ocdsmerge import Merger

OMITTED = "date id tag"
WHOLE_LISTS = """
awards.amendment.changes awards.amendments.changes awards.items.additionalClassifications
awards.suppliers.additionalIdentifiers buyer.additionalIdentifiers contracts.amendment.changes
contracts.amendments.changes contracts.implementation.transactions.payee.additionalIdentifiers
contracts.implementation.transactions.payer.additionalIdentifiers contracts.items.additionalClassifications
contracts.relatedProcesses.relationship parties.additionalIdentifiers parties.roles relatedProcesses.relationship
tender.additionalProcurementCategories tender.amendment.changes tender.amendments.changes
tender.items.additionalClassifications tender.procuringEntity.additionalIdentifiers tender.submissionMethod
tender.tenderers.additionalIdentifiers
"""
"""What the release schema 1.1 says. The library would ask the standard's web site for it."""
WHOLE_LISTS_1_0 = "awards.suppliers tender.tenderers"
"""Organisations have no ids in 1.0, so that their lists cannot be merged one by one."""


class Unmergeable(Exception):
    """The releases of a process contradict each other; the message says in what."""


@lru_cache(maxsize=2)
def _merger(more: str = "") -> Merger:
    # Imported late: with it comes a client of HTTP, which no other source needs.
    from ocdsmerge import Merger

    rules = {tuple(path.split(".")): "wholeListMerge" for path in (WHOLE_LISTS + more).split()}
    return Merger(merge_rules=rules | {(name,): "omitWhenMerged" for name in OMITTED.split()})


def merged(releases: list[dict[str, Any]]) -> tuple[dict[str, Any], int]:
    """The compiled release, and how many elements of lists bore an id that another one of their list has.

    Raises Unmergeable.
    """
    from ocdsmerge.exceptions import OCDSMergeError

    # Parties came with 1.1; a package's version stands behind its releases as often as before them.
    merger = _merger("" if any("parties" in release for release in releases) else WHOLE_LISTS_1_0)
    with warnings.catch_warnings(record=True) as doubled:
        warnings.simplefilter("always")
        try:
            return merger.create_compiled_release(releases), len(doubled)
        except (OCDSMergeError, AttributeError, TypeError, KeyError, RecursionError) as problem:
            # The library meets lists among objects, ids that are lists, and what is nested too deeply, with
            # Python's own errors.
            raise Unmergeable(str(problem)) from None
