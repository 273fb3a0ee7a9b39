"""Questions to ClickHouse about what holds today of tables that keep versions: how many rows, what refers to nothing.

They are asked of all collections at once, or of one, and no reference is looked for in another collection.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.contract import Contract
from schemas.contract.references import Reference
from schemas.contract.rules import quoted
from schemas.derive.clickhouse import qualified
from schemas.derive.latest_views import SUFFIX
from schemas.derive.spark import ident

COLLECTION = "collection_code"
LISTED = "listed_value"
NOTHING = ("", "0")
"""What registers write where they refer to no row."""


def counted(contract: Contract, collection: str = "") -> str:
    """Rows by collection and table: (collection, table, rows). The parts of a split table are tables."""
    name = quoted(contract.name)
    if contract.split_by:
        words = list(contract.split_views.values())
        shown = f"{list(contract.split_views)}, {name}"
        name = f"transform(toString({ident(contract.split_by)}), {words}, {shown})"
    return (
        f"SELECT toString({_collection(contract)}) AS counted_collection, {name} AS counted_table, count() "
        f"FROM {qualified(contract.name + SUFFIX)}{_only(contract, collection)} "
        "GROUP BY counted_collection, counted_table HAVING count() > 0"
    )


def refused(topics: Sequence[str], *, by_collection: bool) -> str:
    """Refused events by collection and rule, the commonest first: (collection, rule, events, newest id, its sentence).

    Ids of events of a collection begin with its name.
    """
    collection = "splitByChar(':', event_id)[1]" if by_collection else "''"
    return (
        f"SELECT {collection} AS refused_collection, toString(rule) AS refused_by, count() AS event_count, "
        "argMax(q.event_id, q.ingested_at), argMax(q.sentence, q.ingested_at) FROM ops.quarantine AS q FINAL "
        f"WHERE kafka_topic IN ({', '.join(map(quoted, topics))}) GROUP BY refused_collection, refused_by "
        "ORDER BY event_count DESC, refused_by"
    )


def unresolved(references: Sequence[Reference], collection: str = "") -> str:
    """Of one reference by a list, or of several others of one table: the collection, and three values a reference.

    These are the values that refer to something, those of them whose row is not there, and a row with such a value.
    """
    source = references[0].source
    rows = qualified(source.name + SUFFIX)
    if references[0].is_list:
        listed = references[0].column
        # Numbers in one register are texts in another: 12 and "12".
        each = f"arrayMap(one -> trim(BOTH '\"' FROM one), JSONExtractArrayRaw(ifNull({ident(listed)}, '[]')))"
        entity = ", ".join(map(ident, source.business_key))
        rows = f"(SELECT {_collection(source)} AS {COLLECTION}, {entity}, arrayJoin({each}) AS {LISTED} FROM {rows})"
    mine = COLLECTION if references[0].is_list else _collection(source)
    columns = [f"toString({mine}) AS counted_collection"]
    for reference in references:
        value = _value(LISTED if reference.is_list else reference.column, reference)
        named = f"{value} NOT IN {NOTHING}"
        there = (
            f"SELECT {_collection(reference.target)}, {_value(reference.target_column, reference)} "
            f"FROM {qualified(reference.part or reference.target.name + SUFFIX)}{_only(reference.target, collection)}"
        )
        broken = f"{named} AND ({mine}, {value}) NOT IN ({there})"
        columns += [f"countIf({named})", f"countIf({broken})", f"minIf({_shown(reference, value)}, {broken})"]
    return f"SELECT {', '.join(columns)} FROM {rows}{_only(source, collection)} GROUP BY counted_collection"


def _value(column: str, reference: Reference) -> str:
    text = f"ifNull(toString({ident(column)}), '')"
    # A dictionary's code is a number to the rows that use it: 006 and 6 are one unit.
    return f"trim(LEADING '0' FROM {text})" if reference.part else text


def _shown(reference: Reference, value: str) -> str:
    """``lot_id 7: tender_id 9``."""
    key = ", ' ', ".join(f"'{c} ', toString({ident(c)})" for c in reference.source.business_key)
    return f"concat({key}, ': {reference.column} ', {value})"


def _collection(contract: Contract) -> str:
    """The collection of a row; tables without collections are one, without a name."""
    return COLLECTION if COLLECTION in contract.columns else "''"


def _only(contract: Contract, collection: str) -> str:
    return f" WHERE {_collection(contract)} = {quoted(collection)}" if collection else ""
