"""Tables, entities, events and feeds: a class with a docstring is one, its decorator says which."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from schemas.contract.column import Column, Pending
from schemas.contract.rules import RowRule
from schemas.contract.storage import Plain, Replacing

Layer = Literal["stage", "bronze", "silver", "gold", "quarantine", "ops"]
Kind = Literal["table", "entity", "event", "record", "feed"]
T = TypeVar("T", bound=type)


@dataclass(frozen=True)
class Contract:
    """What a table or an event is. Made by the decorators below, read by everything in `derive/`."""

    name: str
    kind: Kind
    description: str
    columns: tuple[Column, ...]
    domain: str
    rules: tuple[RowRule, ...] = ()
    built_from: tuple[Contract, ...] = ()
    refresh: Literal["", "stream", "nightly", "always"] = ""
    day: str = ""
    clickhouse: Replacing | Plain | None = None
    delta: bool = True
    sort_by: tuple[str, ...] = ()
    topic: str = ""
    event_type: str = ""
    partitions: int = 0
    max_bytes: int = 0
    fed_by: tuple[str, ...] = ()
    rows_at: str = ""
    rows_of: str = ""
    entity: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    deleted_with: tuple[tuple[str, tuple[str, ...]], ...] = ()
    split_by: str = ""
    references: tuple[tuple[str, Contract], ...] = ()
    superseded_by: Contract | None = None
    python: type | None = field(default=None, compare=False, repr=False)

    @property
    def layer(self) -> str:
        return self.name.partition(".")[0]

    @property
    def table(self) -> str:
        return self.name.partition(".")[2]

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns if c.key)

    @property
    def serving_columns(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.serving)

    def column(self, name: str) -> Column:
        """Raises KeyError with the table's columns when there is none of that name."""
        for column in self.columns:
            if column == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}; it has {', '.join(self.columns)}")

    @property
    def money_columns(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns if c.type.name in ("MONEY", "SUM"))

    @property
    def parts(self) -> dict[str, str]:
        """Of a table that is split (`split_by`): the name of each part's view, with the word that it is split by."""
        words = [kind.rpartition(".")[2] for kind in self.fed_by] if self.split_by else []
        return {f"{self.layer}.{self.domain}_{word}": word for word in words}

    @property
    def keeps_versions(self) -> bool:
        """Whether a nightly run adds to what the table holds, in place of making it anew."""
        return bool(self.entity) and self.refresh == "nightly"

    @property
    def document(self) -> tuple[str, ...]:
        """The columns that name what an event tells of, where a later event of the same supersedes it."""
        corrections = self.superseded_by
        return tuple(c for c in corrections.key if c != "event_id") if corrections else ()

    @property
    def is_remade(self) -> bool:
        """Whether a whole night makes it anew from what lies below it, so that nothing is lost with an old one."""
        return self.layer == "gold" and self.refresh == "nightly" and not self.keeps_versions

    @property
    def orders(self) -> tuple[str, ...]:
        """The columns by which ClickHouse sorts the table."""
        return (self.clickhouse.order_by if self.clickhouse else ()) or self.key


def _columns(cls: type) -> tuple[Column, ...]:
    """The class's columns and those it inherits, keys first, else in the order they are written."""
    found: dict[str, Column] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, Pending):
                column = Column(name)
                for fact, given in value.facts.items():
                    setattr(column, fact, contract(given) if fact == "items" and given is not None else given)
                found[name] = column
            elif isinstance(value, Column):
                found[name] = value
    for name, column in found.items():
        setattr(cls, name, column)
    return tuple(sorted(found.values(), key=lambda column: not column.key))


def _description(cls: type) -> str:
    if not cls.__doc__:
        raise ValueError(f"{cls.__name__} needs a docstring that says what one row is")
    return " ".join(cls.__doc__.split())


def _make(cls: T, **facts: Any) -> T:
    parts = cls.__module__.split(".")
    made = Contract(
        description=_description(cls), columns=_columns(cls),
        domain=parts[1] if len(parts) > 2 else "", python=cls, **facts,
    )  # fmt: skip
    wrong = next(_wrong(made), "") if made.kind in ("table", "entity") else ""
    if wrong:
        raise ValueError(f"{made.name}: {wrong}")
    setattr(cls, "__contract__", made)  # noqa: B010
    return cls


def _wrong(made: Contract) -> Iterator[str]:
    if not made.key:
        yield "no column is a key; key=True says which columns name a row"
    for column in made.columns:
        if column.personal and made.layer == "gold":
            yield f"{column} tells of a person, which no gold table may"
        if column.key and column.optional:
            yield f"{column} is a key, so it cannot be optional"
        if column.items is not None or not column.type.spark:
            yield f"{column} is a list, which only an event can hold"
    named = {"day": (made.day,), "sort_by": made.sort_by, "entity": made.entity, "split_by": (made.split_by,)}
    named["rows_of"] = (made.rows_of,)
    named["deleted_with"] = tuple(column for column, _ in made.deleted_with)
    serving: dict[str, tuple[str, ...]] = {}
    if made.clickhouse is not None:
        serving["order_by"] = made.orders
    if isinstance(made.clickhouse, Replacing):
        serving["version"] = (made.clickhouse.version,)
        # Of rows with one sorting key all but one are dropped.
        lacking = [name for name in made.key if name not in made.orders]
        if lacking:
            yield f"order_by lacks the key column {', '.join(lacking)}: different rows would replace each other"
    for option, names in (named | serving).items():
        known = made.serving_columns if option in serving else made.columns
        for name in names:
            if name and name not in known:
                yield f"{option} names {name!r}; the columns are {', '.join(known)}"


def contract(cls: type) -> Contract:
    """The contract of a class that `table`, `entity`, `event` or `record` made."""
    made = vars(cls).get("__contract__")
    if not isinstance(made, Contract):
        raise TypeError(f"{cls.__name__} is no contract: decorate it with @table, @entity, @event or @record")
    return made


def table(
    name: str,
    *,
    built_from: Sequence[type] = (),
    refresh: Literal["", "stream", "nightly", "always"] = "",
    day: str = "",
    clickhouse: Replacing | Plain | None = None,
    delta: bool = True,
    sort_by: Sequence[str] = (),
    rules: Sequence[RowRule] = (),
    fed_by: Sequence[str] = (),
    rows_at: str = "",
    rows_of: str = "",
    entity: Sequence[str] = (),
    services: Sequence[str] = (),
    deleted_with: Mapping[str, Sequence[str]] | None = None,
    split_by: str = "",
    superseded_by: type | None = None,
) -> Callable[[T], T]:
    """Declare a table ``layer.name``.

    `day` names the column by which a nightly table can be rebuilt one day at a time; without it the table is
    always rebuilt whole. `delta=False` is a table that only ClickHouse holds. `sort_by` is the order inside Delta
    files.

    For a table that is filled from a feed: `fed_by` are the event types whose rows it takes, `rows_at` the list of
    which each element becomes a row, and `rows_of` the column with the number of what has the list: of it only the
    rows of the newest event hold. A table that keeps every version of what it describes names that by the columns
    `entity`; the version that changed last (`changed_at`) is the one that holds. `services` are the words by which
    deletions name it; `deleted_with` are, by the column with the number of what it belongs to, the words by which
    deletions name that: a bid goes with its application. `split_by` is a column with the last word of the event
    type; each word gets a view.

    `superseded_by` is the table that lists events of this one which no longer hold: what reads it by `built_from` gets
    the rows that hold, and so does the view `<table>_latest`. Of one document (the other key columns of that table)
    the event that arrived last holds. Raises ValueError, with what is wrong, for a table that no system could hold.
    """
    if name.count(".") != 1:
        raise ValueError(f"{name!r} must be layer.name")

    def made(cls: T) -> T:
        return _make(
            cls, name=name, kind="table", built_from=tuple(contract(source) for source in built_from), refresh=refresh,
            day=day, clickhouse=clickhouse, delta=delta, sort_by=tuple(sort_by), rules=tuple(rules),
            fed_by=tuple(fed_by), rows_at=rows_at, rows_of=rows_of, entity=tuple(entity), services=tuple(services),
            split_by=split_by,
            deleted_with=tuple((column, tuple(words)) for column, words in (deleted_with or {}).items()),
            superseded_by=contract(superseded_by) if superseded_by else None,
        )  # fmt: skip

    return made


def entity(
    name: str, *, rules: Sequence[RowRule] = (), references: Mapping[str, type] | None = None
) -> Callable[[T], T]:
    """Declare what the application's own database keeps: a table ``schema.name`` of PostgreSQL, made by migrations.

    `references` names the column that holds another entity's key. Rules refuse what a client wants to write.
    """
    others = tuple((column, contract(other)) for column, other in (references or {}).items())
    return lambda cls: _make(cls, name=name, kind="entity", rules=tuple(rules), references=others)


def record() -> Callable[[T], T]:
    """Declare an element of an event's list. Rules over several columns are given to the event by `rules`."""
    return lambda cls: _make(cls, name=cls.__name__, kind="record")


def event(
    event_type: str,
    *,
    topic: str,
    partitions: int,
    max_bytes: int = 1_000_000,
    rules: Mapping[str, Sequence[RowRule]] | None = None,
) -> Callable[[T], T]:
    """Declare an event of a topic.

    `rules` are the rules over several columns: under "" those of the event, under a list column's name those of its
    elements.
    """
    given = rules or {}

    def made(cls: T) -> T:
        for column in _columns(cls):
            if column.items is not None:
                column.items = replace(column.items, rules=tuple(given.get(column, ())))
        return _make(
            cls, name=f"event.{event_type}", kind="event", topic=topic, event_type=event_type, partitions=partitions,
            max_bytes=max_bytes, rules=tuple(given.get("", ())),
        )  # fmt: skip

    return made


def feed(*, topic: str, partitions: int, max_bytes: int = 1_000_000) -> Callable[[T], T]:
    """Declare a topic whose records are rows as their sources have them, of many types, told apart by ce_type.

    Which of their fields are read stands in the silver tables that they feed (`fed_by`, `at`).
    """
    return lambda cls: _make(
        cls, name=f"feed.{topic}", kind="feed", topic=topic, partitions=partitions, max_bytes=max_bytes
    )
