"""What each kind of new thing needs to know, from its name and from the contracts."""

from __future__ import annotations

import keyword
import re

from infra.local.errors import Refused
from schemas.contract import Column, Contract, contracts, tables

WORD = r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*"


def matched(pattern: str, name: str, example: str) -> re.Match[str]:
    """The name taken apart. `Refused` for a name of another form."""
    match = re.fullmatch(pattern, name)
    if match is None or any(keyword.iskeyword(word) for word in re.split(r"[._]", name)):
        raise Refused(
            f"{name!r} is not a name like {example}: small letters, digits and _ were expected, and no word of Python."
        )
    return match


def class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def domain(name: str) -> dict[str, str]:
    """Values for a domain of one event, a silver and a gold table."""
    matched(WORD, name, "weather")
    if name in {c.domain for c in contracts()}:
        raise Refused(f"There is a domain {name!r} already.")
    return {"name": name, "Name": class_name(name)}


def table(name: str, source: str = "", by: str = "") -> dict[str, str]:
    """Values for a gold table that counts the rows of `source` by the column `by`."""
    match = matched(rf"gold\.([a-z][a-z0-9]*)_({WORD})", name, "gold.shop_products_daily")
    owner, short = match[1], match[2]
    if name in {t.name for t in tables()}:
        raise Refused(f"There is a table {name} already.")
    silver = [t for t in tables("silver", owner) if t.delta]
    if not silver:
        known = ", ".join(sorted({t.domain for t in tables("silver")}))
        raise Refused(f"The domain {owner!r} has no silver table to build from; there are the domains {known}.")
    chosen = next((t for t in silver if t.name == source), None) if source else silver[-1]
    if chosen is None:
        raise Refused(
            f"No silver table of {owner} is called {source!r}; there are: {', '.join(t.name for t in silver)}"
        )
    column = _column(chosen, by)
    python = chosen.python
    assert python is not None
    room = "gold_" if _has_module(owner) else "gold/"
    return {
        "domain": owner, "table": name, "short": short, "Name": class_name(short), "room": room,
        "schema_module": f"schemas.{owner}.{room.replace('/', '.')}{short}",
        "source": chosen.name, "source_module": python.__module__, "Source": python.__name__,
        "by": str(column),
    }  # fmt: skip


def _has_module(owner: str) -> bool:
    from conf import REPOSITORY

    return (REPOSITORY / "schemas" / owner / "gold.py").exists()


def _column(source: Contract, by: str) -> Column:
    texts = [
        c for c in source.columns
        if c.type.name in ("CODE", "ID") and not c.optional and not c.personal and not c.startswith("kafka")
    ]  # fmt: skip
    wanted = [c for c in texts if str(c) == by] if by else [c for c in texts if str(c) != "event_id"]
    if not wanted:
        raise Refused(f"{source.name} has no such column to count by; there are: {', '.join(map(str, texts))}")
    return wanted[0]


def source(name: str) -> dict[str, str]:
    """Values for a source that sends the lines of a file to its domain's topic."""
    match = matched(rf"([a-z][a-z0-9]*)\.({WORD})", name, "shop.prices")
    topics = [c for c in contracts() if c.topic and c.domain == match[1]]
    if not topics:
        known = ", ".join(sorted({c.domain for c in contracts() if c.topic}))
        raise Refused(f"The domain {match[1]!r} has no topic; there are the domains {known}.")
    event_type = next((c.event_type for c in topics if c.event_type), f"{match[1]}.{match[2]}")
    return {"domain": match[1], "short": match[2], "name": name, "topic": topics[0].topic, "event_type": event_type}


def page(name: str) -> dict[str, str]:
    matched(WORD, name, "prices")
    return {"name": name, "title": name.replace("_", " "), "link": name.replace("_", " ").capitalize()}


def flag(name: str) -> dict[str, str]:
    """Values for a red flag of procurement, by its code."""
    match = matched(r"r(\d{3})", name, "r024")
    return {"code": name, "CODE": f"R{match[1]}"}
