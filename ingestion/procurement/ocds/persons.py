"""Which parties are natural persons, by the numbers that their states give them: a table that users extend.

OCDS has no field for it. A scheme that numbers persons and others (such as RU-INN, which has twelve digits for a person
and ten for a company) is told by the shape of its numbers.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from ingestion.core.errors import Unreadable
from ingestion.procurement.ocds.table import rows
from schemas.common.pseudonym import HASH, hash_of

OWN = Path(__file__).with_name("persons.csv")
HEADER = ["scheme", "number"]
_ALIAS = re.compile(HASH)


class Persons:
    """The table, and the names under which persons go: keyed hashes, for nothing that a party's id is joined by may
    tell of a person."""

    def __init__(self, secret: str, *more: Path) -> None:
        """Rows of further files are added. Raises Unreadable with the line that is wrong."""
        self._secret = secret
        self._shapes: dict[str, list[re.Pattern[str]]] = defaultdict(list)
        for path in (OWN, *more):
            for line, (scheme, number) in rows(path, "persons", HEADER):
                try:
                    self._shapes[scheme.upper()].append(re.compile(number))
                except re.error as problem:
                    raise Unreadable(
                        f"The persons {path.name}, line {line}: {number!r} is no regular expression: {problem}."
                    ) from None

    def has(self, scheme: str | None, number: str | None) -> bool:
        """Whether a scheme's number is a person's."""
        shapes = self._shapes.get((scheme or "").upper(), ())
        return number is not None and any(shape.fullmatch(number) for shape in shapes)

    def has_id(self, party_id: str) -> bool:
        """Whether an id that begins with its scheme, as OCDS advises, is a person's."""
        parts = party_id.split("-", 2)
        return len(parts) == 3 and self.has("-".join(parts[:2]), parts[2])

    def alias(self, party_id: str) -> str:
        """The name under which a person goes."""
        return hash_of(self._secret, party_id)

    def is_alias(self, party_id: str) -> bool:
        """Whether a party's id is a name that `alias` made."""
        return _ALIAS.fullmatch(party_id) is not None
