"""The organisations of one process. In 1.0 they stand where they act, since 1.1 in a list that is referred to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ingestion.ocds.persons import Persons
from ingestion.ocds.shape import Json, Shape, text, texts

ROLES = {"buyer": 1, "procuringEntity": 2, "supplier": 4}
FLAGS = {"is_buyer": 1, "is_organiser": 2, "is_supplier": 4}
ADDRESS = "address"
"""Under this name a party's value holds its address until it is sent, which is by itself."""
TOGETHER = "+"
"""Between the ids of parties that bid, or are contracted, as one."""


@dataclass(slots=True)
class Party:
    """`roles` adds up bits of ROLES."""

    value: Json
    roles: int = 0


@dataclass
class Parties:
    """The organisations by id. One that is only referred to becomes one too. A natural person goes by an alias."""

    shape: Shape
    persons: Persons
    known: dict[str, Party] = field(default_factory=dict)
    _aliases: dict[str, str] = field(default_factory=dict)

    def read(self, release: Json) -> None:
        """The list that OCDS has since 1.1."""
        for told in self.shape.many(release, "parties"):
            party_id = self.refer(told)
            if party_id is None:
                self.shape.odd["parties without an id, an identifier or a name"] += 1
                continue
            for role in texts(told.get("roles")):
                self.known[party_id].roles |= ROLES.get(role, 0)

    def refer(self, told: Json, role: str = "") -> str | None:
        """The id of an organisation, which is noted with its role; None where nothing names it."""
        identifier = self.shape.one(told, "identifier")
        if text(identifier.get("id")) is None:
            # A party that has only other numbers is known by the first of them.
            more = self.shape.many(told, "additionalIdentifiers")
            identifier = next((other for other in more if text(other.get("id"))), identifier)
        scheme, number = text(identifier.get("scheme")), text(identifier.get("id"))
        name = text(told.get("name"))
        named = f"{scheme}-{number}" if scheme and number else number
        stated = text(told.get("id")) or named or name
        if stated is None:
            return None
        if stated not in self.known and (self.persons.has(scheme, number) or self.persons.has_id(stated)):
            self._aliases[stated] = self.persons.alias(stated)
        party_id = self._aliases.get(stated, stated)
        party = self.known.get(party_id)
        if party is None:
            contact, address = self.shape.one(told, "contactPoint"), self.shape.one(told, "address")
            party = self.known[party_id] = Party(
                {
                    "party_id": party_id,
                    "party_biin": party_id if stated in self._aliases else number or party_id,
                    "party_number": number or stated if stated in self._aliases else None,
                    "name": name or text(identifier.get("legalName")),
                    "email": text(contact.get("email")),
                    "phone": text(contact.get("telephone")),
                    "country_code": text(address.get("country")),
                    ADDRESS: _address(address),
                }
            )
        party.roles |= ROLES.get(role, 0)
        return party_id

    def code(self, party_id: str | None) -> str | None:
        """The number by which its state knows it; its id where it names none, or several act together."""
        party = self.known.get(party_id or "")
        return party.value["party_biin"] if party else party_id

    def together(self, told: Iterable[Json], role: str = "") -> list[str]:
        """The ids of organisations that act as one, sorted, each once."""
        return sorted({party_id for part in told if (party_id := self.refer(part, role))})


def _address(told: Json) -> str | None:
    """An address in one line, without its country."""
    parts = (text(told.get(name)) for name in ("streetAddress", "locality", "region", "postalCode"))
    return ", ".join(filter(None, parts)) or None
