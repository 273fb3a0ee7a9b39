"""A checker of the JSON Schema facets that rules use: enough to compare a rule with itself."""

import re
from collections.abc import Callable, Mapping
from typing import Any

CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, low: value >= low,
    "maximum": lambda value, high: value <= high,
    "minLength": lambda value, least: len(value) >= least,
    "maxLength": lambda value, most: len(value) <= most,
    "minItems": lambda value, least: len(value) >= least,
    "maxItems": lambda value, most: len(value) <= most,
    "enum": lambda value, choices: value in choices,
    "not": lambda value, other: value != other["const"],
    # JSON Schema's $ is the very end, Python's lets a line break pass.
    "pattern": lambda value, pattern: re.search(re.sub(r"\$$", r"\\Z", pattern), value) is not None,
}


def allows(facets: Mapping[str, Any], value: Any) -> bool:
    """Whether a value keeps all facets. Raises KeyError for a facet that is not known here."""
    return all(CHECKS[name](value, bound) for name, bound in facets.items())
