"""Reads GraphQL queries: the fields that are asked for, with their arguments, aliases and variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Undefined,
    parse,
    value_from_ast_untyped,
)

MAX_TOKENS = 10_000


class QueryError(Exception):
    """The query cannot be read or names what is not there; the message says what."""


@dataclass(frozen=True)
class Field:
    """One selected field: its name in the answer, its name, its arguments, its own fields."""

    alias: str
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()


def read_query(text: str, variables: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields at the root of the first operation; raises QueryError."""
    try:
        document = parse(text, no_location=True, max_tokens=MAX_TOKENS)
    except GraphQLSyntaxError as problem:
        raise QueryError(problem.message) from None
    except RecursionError:
        raise QueryError("Syntax Error: The query is nested too deeply.") from None
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if not operations or operations[0].operation is not OperationType.QUERY:
        raise QueryError("The service has queries only.")
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return tuple(_fields(operations[0].selection_set, fragments, dict(variables), ()))


def _fields(
    selected: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode], variables: dict[str, Any],
    within: tuple[str, ...],
) -> Iterator[Field]:  # fmt: skip
    """`within` names the fragments that are being read: one that spreads itself would never end."""
    for node in selected.selections if selected else ():
        if isinstance(node, FieldNode):
            arguments = {each.name.value: _value(value_from_ast_untyped(each.value, variables)) for each in
                         node.arguments or ()}  # fmt: skip
            alias = node.alias.value if node.alias else node.name.value
            below = tuple(_fields(node.selection_set, fragments, variables, within))
            yield Field(alias, node.name.value, arguments, below)
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, fragments, variables, within)
        elif isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name not in fragments:
                raise QueryError(f'Unknown fragment "{name}".')
            if name in within:
                raise QueryError(f'Cannot spread fragment "{name}" within itself.')
            yield from _fields(fragments[name].selection_set, fragments, variables, (*within, name))


def _value(value: Any) -> Any:
    """A variable that was not given is null."""
    if isinstance(value, dict):
        return {name: _value(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_value(each) for each in value]
    return None if value is Undefined else value
