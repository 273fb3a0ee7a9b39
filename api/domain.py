"""What a domain adds to the API: `api/<domain>/domain.py` declares one `DOMAIN`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.analytics.question import Question
    from api.backends.backends import Backends


@dataclass(frozen=True)
class Figures:
    """Live figures on the page. The source `name` is asked again `every` so many seconds while somebody watches.

    `source` makes what is asked; it raises OSError with a sentence for people while its backend does not answer.
    `members` gives the document's members, from the time and the last answer: None before the first one.
    """

    name: str
    source: Callable[[Backends], Callable[[], Awaitable[Any]]]
    members: Callable[[float, Any], Mapping[str, Any]]
    every: float = 1.0


@dataclass(frozen=True)
class Domain:
    """One domain. Its routes are found by themselves: every `ROUTER` of a module in its package is mounted.

    `open` makes the domain's services of the backends, and provides them (`Backends.provide`). `tags` are groups of
    paths in OpenAPI, `scopes` are what a key may be allowed, each with its description. `questions` are answered at
    ``/v1/analytics/…``.
    """

    name: str
    open: Callable[[Backends], None] = lambda _: None
    tags: Mapping[str, str] = field(default_factory=dict)
    scopes: Mapping[str, str] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    figures: tuple[Figures, ...] = ()
