"""Tables, entities, events and feeds: a class with a docstring is one, its decorator says which."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from schemas.contract.column import Column, UnnamedColumn
from schemas.contract.rules import RowRule
from schemas.contract.storage import Plain, Replacing

Layer = Literal["stage", "bronze", "silver", "gold", "quarantine", "ops"]
Kind = Literal["table", "entity", "event", "record", "feed"]
T = TypeVar("T", bound=type)


@dataclass(frozen=True)
class Contract:
    """A table, an entity, an event or a feed. The decorators below create it; `derive/` reads it."""

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
    business_key: tuple[str, ...] = ()
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
        """The column of a name. Raises KeyError, with the columns that exist."""
        for column in self.columns:
            if column == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}; it has {', '.join(self.columns)}")

    @property
    def money_columns(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns if c.type.name in ("MONEY", "SUM"))

    @property
    def split_views(self) -> dict[str, str]:
        """The views of a table that is split (`split_by`): view name → value of the column."""
        words = [kind.rpartition(".")[2] for kind in self.fed_by] if self.split_by else []
        return {f"{self.layer}.{self.domain}_{word}": word for word in words}

    @property
    def keeps_versions(self) -> bool:
        """Whether a nightly run appends to the table instead of replacing it."""
        return bool(self.business_key) and self.refresh == "nightly"

    @property
    def document_key(self) -> tuple[str, ...]:
        """The columns that name a document; a later event of the same document supersedes an earlier one."""
        corrections = self.superseded_by
        return tuple(c for c in corrections.key if c != "event_id") if corrections else ()

    @property
    def is_rebuilt_nightly(self) -> bool:
        """Whether a full nightly run rebuilds it from its sources, so that dropping it loses nothing."""
        return self.layer == "gold" and self.refresh == "nightly" and not self.keeps_versions

    @property
    def sorting_key(self) -> tuple[str, ...]:
        """The columns by which ClickHouse sorts the table."""
        return (self.clickhouse.order_by if self.clickhouse else ()) or self.key


def _columns(cls: type) -> tuple[Column, ...]:
    """The columns of the class and of its bases: first the key, then the others in the order of the source."""
    columns: dict[str, Column] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, UnnamedColumn):
                column = Column(name)
                for fact, fact_value in value.facts.items():
                    is_record = fact == "items" and fact_value is not None
                    setattr(column, fact, contract(fact_value) if is_record else fact_value)
                columns[name] = column
            elif isinstance(value, Column):
                columns[name] = value
    for name, column in columns.items():
        setattr(cls, name, column)
    return tuple(sorted(columns.values(), key=lambda column: not column.key))


def _description(cls: type) -> str:
    if not cls.__doc__:
        raise ValueError(f"{cls.__name__} needs a docstring that says what one row is")
    return " ".join(cls.__doc__.split())


def _declare(cls: T, **facts: Any) -> T:
    parts = cls.__module__.split(".")
    declared = Contract(
        description=_description(cls), columns=_columns(cls),
        domain=parts[1] if len(parts) > 2 else "", python=cls, **facts,
    )  # fmt: skip
    problem = next(_problems(declared), "") if declared.kind in ("table", "entity") else ""
    if problem:
        raise ValueError(f"{declared.name}: {problem}")
    setattr(cls, "__contract__", declared)  # noqa: B010
    return cls


def _problems(declared: Contract) -> Iterator[str]:
    if not declared.key:
        yield "no column is a key; key=True says which columns name a row"
    for column in declared.columns:
        if column.personal and declared.layer == "gold":
            yield f"{column} tells of a person, which no gold table may"
        if column.key and column.optional:
            yield f"{column} is a key, so it cannot be optional"
        if column.items is not None or not column.type.spark:
            yield f"{column} is a list, which only an event can hold"
    options = {
        "day": (declared.day,), "sort_by": declared.sort_by, "business_key": declared.business_key,
        "split_by": (declared.split_by,), "rows_of": (declared.rows_of,),
        "deleted_with": tuple(column for column, _ in declared.deleted_with),
    }  # fmt: skip
    serving: dict[str, tuple[str, ...]] = {}
    if declared.clickhouse is not None:
        serving["order_by"] = declared.sorting_key
    if isinstance(declared.clickhouse, Replacing):
        serving["version"] = (declared.clickhouse.version,)
        # ClickHouse keeps one of the rows with the same sorting key.
        missing = [name for name in declared.key if name not in declared.sorting_key]
        if missing:
            yield f"order_by lacks the key column {', '.join(missing)}: different rows would replace each other"
    for option, names in (options | serving).items():
        known = declared.serving_columns if option in serving else declared.columns
        for name in names:
            if name and name not in known:
                yield f"{option} names {name!r}; the columns are {', '.join(known)}"


def contract(cls: type) -> Contract:
    """The contract of a class that `table`, `entity`, `event`, `feed` or `record` declared."""
    declared = vars(cls).get("__contract__")
    if not isinstance(declared, Contract):
        raise TypeError(f"{cls.__name__} is no contract: decorate it with @table, @entity, @event or @record")
    return declared


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
    business_key: Sequence[str] = (),
    services: Sequence[str] = (),
    deleted_with: Mapping[str, Sequence[str]] | None = None,
    split_by: str = "",
    superseded_by: type | None = None,
) -> Callable[[T], T]:
    """Declare a table ``layer.name``.

    Raises ValueError, with the reason, for a table that no system could hold.

    - `day`: the column by which a nightly table can be rebuilt one day at a time. Without it the table is always
      rebuilt whole.
    - `delta=False`: only ClickHouse holds the table.
    - `sort_by`: the order of rows inside Delta files.

    For a table that is filled from events:

    - `fed_by`: the event types whose rows it takes.
    - `rows_at`: the list field of which each element becomes a row.
    - `rows_of`: the column with the number of the object that has the list. Only the rows of its newest event hold.
    - `business_key`: the table keeps every version of what these columns name. The version that changed last
      (`changed_at`) is the one that holds.
    - `services`: the names by which deletions refer to the object.
    - `deleted_with`: by the column with the number of a parent object, the names by which deletions refer to the
      parent. A bid is deleted with its application.
    - `split_by`: a column with the last word of the event type. Each word gets a view.
    - `superseded_by`: the table that lists events of this table which no longer hold. Tables that are built from this
      one, and the view `<table>_latest`, get only the rows that hold. Of several events with one `document_key` the
      event that arrived last holds.
    """
    if name.count(".") != 1:
        raise ValueError(f"{name!r} must be layer.name")

    def declare(cls: T) -> T:
        return _declare(
            cls, name=name, kind="table", built_from=tuple(contract(source) for source in built_from), refresh=refresh,
            day=day, clickhouse=clickhouse, delta=delta, sort_by=tuple(sort_by), rules=tuple(rules),
            fed_by=tuple(fed_by), rows_at=rows_at, rows_of=rows_of, business_key=tuple(business_key),
            services=tuple(services), split_by=split_by,
            deleted_with=tuple((column, tuple(words)) for column, words in (deleted_with or {}).items()),
            superseded_by=contract(superseded_by) if superseded_by else None,
        )  # fmt: skip

    return declare


def entity(
    name: str, *, rules: Sequence[RowRule] = (), references: Mapping[str, type] | None = None
) -> Callable[[T], T]:
    """Declare what the application's own database keeps: a table ``schema.name`` of PostgreSQL, made by migrations.

    `references` names the column that holds another entity's key. Rules refuse what a client wants to write.
    """
    others = tuple((column, contract(other)) for column, other in (references or {}).items())
    return lambda cls: _declare(cls, name=name, kind="entity", rules=tuple(rules), references=others)


def record() -> Callable[[T], T]:
    """Declare an element of an event's list. Rules over several columns are given to the event by `rules`."""
    return lambda cls: _declare(cls, name=cls.__name__, kind="record")


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
    by_list = rules or {}

    def declare(cls: T) -> T:
        for column in _columns(cls):
            if column.items is not None:
                column.items = replace(column.items, rules=tuple(by_list.get(column, ())))
        return _declare(
            cls, name=f"event.{event_type}", kind="event", topic=topic, event_type=event_type, partitions=partitions,
            max_bytes=max_bytes, rules=tuple(by_list.get("", ())),
        )  # fmt: skip

    return declare


def feed(*, topic: str, partitions: int, max_bytes: int = 1_000_000) -> Callable[[T], T]:
    """Declare a topic whose records are rows as their sources have them, of many types, told apart by ce_type.

    Which of their fields are read stands in the silver tables that they feed (`fed_by`, `source_fields`).
    """
    return lambda cls: _declare(
        cls, name=f"feed.{topic}", kind="feed", topic=topic, partitions=partitions, max_bytes=max_bytes
    )
