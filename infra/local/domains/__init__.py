"""What the local stack knows of each domain: a module a domain, found by looking.

A module may define:

- `demo_steps(run)`: its part in ``./start.sh``, a list of `DomainStep`; titles of other steps may stand in `after`.
- `CHAPTERS`: its lines in the summary of a start.
- `LIVE_QUESTION` and `QUESTION`: what a start asks as soon as events are live, and at its end.
- `watch_freshness(run, say)`: sends some events and looks when each can be read.
- `SOURCE_PARTS`: the parts that its sources need, where it is not Kafka.
- `FORGET`: the module that takes a collection out of the state of its collectors.
- `brings_events(words)` and `collection_of(settings, words)`: what a load with these words brings, for its check.
"""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType
from typing import Any

from conf.discovery import modules_below


@lru_cache(maxsize=1)
def modules() -> tuple[ModuleType, ...]:
    """The modules of all domains, by name."""
    import infra.local.domains

    return tuple(modules_below(infra.local.domains))


def of(domain: str, name: str, default: Any = None) -> Any:
    """What a domain defines under a name, or the default."""
    module = next((m for m in modules() if m.__name__.rpartition(".")[2] == domain), None)
    return getattr(module, name, default)


def every(name: str) -> list[Any]:
    """What the domains define under a name, in their order."""
    return [getattr(module, name) for module in modules() if hasattr(module, name)]
