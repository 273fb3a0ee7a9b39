"""Create, read, update, delete and list rows of the shop: one implementation for every entity.

The database's triggers write each change into the outbox, in the transaction that makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg import DataError, errors
from psycopg.sql import SQL, Composed, Identifier, Placeholder

from api.backends.postgres import Postgres
from api.backends.table_cache import TableCache
from api.http.problems import Problem, invalid, not_found
from api.shop import cursor
from api.shop.cursor import Order
from api.shop.entities import Entity

if TYPE_CHECKING:
    from collections.abc import Iterator


class Catalogue:
    """The rows of one entity in PostgreSQL. Every method raises a Problem where it cannot do what is asked."""

    def __init__(self, shop: Postgres, entity: Entity) -> None:
        self.shop, self.entity = shop, entity
        self._table = Identifier(entity.contract.layer, entity.contract.table)
        self._columns = SQL(", ").join(Identifier(c.name) for c in entity.contract.columns)
        self._key = Identifier(entity.key)

    async def create(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as it stands now. 409 when its key is taken, 422 when it refers to a row that does not exist."""
        names = list(row)
        statement = SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING {}").format(
            self._table, SQL(", ").join(map(Identifier, names)), SQL(", ").join(map(Placeholder, names)), self._columns
        )
        with self._refusals(row):
            return (await self.shop.rows(statement, row))[0]

    async def get(self, key: str) -> dict[str, Any]:
        """404 where there is none."""
        statement = SQL("SELECT {} FROM {} WHERE {} = %s").format(self._columns, self._table, self._key)
        return self._only(await self.shop.rows(statement, (key,)), key)

    async def update(self, key: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The row as it stands now; what is not among the changes stays."""
        settings = SQL(", ").join(SQL("{} = {}").format(Identifier(n), Placeholder(n)) for n in changes)
        statement = SQL("UPDATE {} SET {} WHERE {} = {} RETURNING {}").format(
            self._table, settings, self._key, Placeholder("the key"), self._columns
        )
        with self._refusals(changes):
            return self._only(await self.shop.rows(statement, {**changes, "the key": key}), key)

    async def delete(self, key: str) -> None:
        """409 while other rows refer to it."""
        statement = SQL("DELETE FROM {} WHERE {} = %s RETURNING {}").format(self._table, self._key, self._key)
        with self._refusals({}):
            self._only(await self.shop.rows(statement, (key,)), key)

    async def page(
        self, order: Order, filters: Mapping[str, Any], since: Any, after: tuple[Any, str] | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """The rows of a page, and the cursor of the next page if there is one."""
        conditions: list[Composed] = []
        values: list[Any] = []
        for name, value in filters.items():
            conditions.append(SQL("{} = %s").format(Identifier(name)))
            values.append(value)
        if since is not None:
            conditions.append(SQL("updated_at >= {}").format(Placeholder()))
            values.append(since)
        column, direction = Identifier(order.column), SQL("DESC" if order.is_descending else "ASC")
        if after is not None:
            compared = SQL("<") if order.is_descending else SQL(">")
            conditions.append(SQL("({}, {}) {} (%s, %s)").format(column, self._key, compared))
            values += after
        where = SQL("WHERE {}").format(SQL(" AND ").join(conditions)) if conditions else SQL("")
        statement = SQL("SELECT {} FROM {} {} ORDER BY {} {}, {} {} LIMIT {}").format(
            self._columns, self._table, where, column, direction, self._key, direction, limit + 1
        )
        try:
            rows = await self.shop.rows(statement, values)
        except DataError:
            # A forged cursor.
            raise cursor.wrong() from None
        question = dict(filters) | ({"updated_since": since} if since is not None else {})
        more = cursor.make(order, question, self.entity, rows[limit - 1]) if len(rows) > limit else None
        return rows[:limit], more

    def _only(self, rows: list[dict[str, Any]], key: str) -> dict[str, Any]:
        if not rows:
            raise not_found(f"{self.entity.one} {key[:80]!r}")
        return rows[0]

    @contextmanager
    def _refusals(self, row: Mapping[str, Any]) -> Iterator[None]:
        """What the database refuses, in sentences."""
        entity = self.entity
        try:
            yield
        except errors.UniqueViolation:
            raise Problem(409, "exists", f"There is already a {entity.one} {row[entity.key]!r}.") from None
        except errors.ForeignKeyViolation as error:
            for column, other in entity.contract.references:
                if column in row and f"({column})" in (error.diag.message_detail or ""):
                    raise invalid([_nobody(column, other.table.removesuffix("s"), row[column])]) from None
            kind = (error.diag.table_name or "other rows").replace("_", " ")
            raise Problem(409, "in-use", f"This {entity.one} cannot be deleted while {kind} name it.") from None
        except (errors.CheckViolation, DataError) as error:
            reason = error.diag.message_primary or str(error)
            finding = {"pointer": "", "rule": "database", "detail": f"The database refuses it: {reason}."}
            raise invalid([finding]) from None


class Catalogues:
    """The catalogues of all entities. `relay` is called after a change, so that it is sent to Kafka at once."""

    def __init__(
        self, by_plural: Mapping[str, Catalogue], relay: Callable[[], None],
        key_caches: Mapping[str, TableCache[bool]],
    ) -> None:  # fmt: skip
        self.by_plural, self.relay, self._key_caches = dict(by_plural), relay, key_caches

    def of(self, entity: Entity) -> Catalogue:
        return self.by_plural[entity.plural]

    def changed(self, entity: Entity, key: str, *, is_there: bool) -> None:
        """A row was just written or deleted: it is known here at once, and relayed at once."""
        cache = self._key_caches.get(entity.contract.name)
        if cache is not None:
            cache.know(key, True) if is_there else cache.forget(key)
        self.relay()


def _nobody(column: str, one: str, value: str) -> dict[str, str]:
    return {
        "pointer": f"/{column}", "rule": f"{column}.known", "detail": f"{column} names no {one}; found \"{value}\"",
    }  # fmt: skip
