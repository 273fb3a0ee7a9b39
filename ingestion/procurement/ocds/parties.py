"""The organisations of one process. In 1.0 they stand where they act, since 1.1 in a list that is referred to.

OCDS makes ids of parties unique within a release, not among processes: ORG-0001 is another one in each notice. So an
organisation is known by scheme and number where it has both, wherever it acts; else by its id within its process.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ingestion.procurement.ocds.normal import is_nothing
from ingestion.procurement.ocds.persons import Persons
from ingestion.procurement.ocds.shape import Json, Shape, text, texts

ROLES = {"buyer": 1, "procuringEntity": 2, "supplier": 4, "tenderer": 8}
FLAGS = {"is_buyer": 1, "is_organiser": 2, "is_supplier": 4, "is_tenderer": 8}
ADDRESS = "address"
"""Under this name a party's value holds its address until it is sent, which is by itself."""
TOGETHER = "+"
"""Between the ids of parties that bid, or are contracted, as one."""
TELLING = frozenset({"additionalIdentifiers", "address", "contactPoint", "identifier"})
"""What an organisation has that is more than a reference to it."""
LONG = 6
"""Characters of a number that is hardly a place in a list."""
NO_SCHEMES = frozenset({"internal", "local", "other", "unknown", "national"})
"""What stands where a number's register is not named."""


@dataclass(slots=True)
class Party:
    """`roles` adds up bits of ROLES. `is_shared` is one that scheme and number make the same in every process."""

    value: Json
    is_shared: bool
    roles: int = 0


@dataclass
class Parties:
    """The organisations by id. One that is only referred to becomes one too. A natural person goes by an alias."""

    shape: Shape
    persons: Persons
    ocid: str
    known: dict[str, Party] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def read(self, release: Json, others: Iterable[Json]) -> None:
        """The list that OCDS has since 1.1. `others` are the places where organisations act: one that has its number
        only in some of them has it in all."""
        listed = self.shape.many(release, "parties")
        for node in (*listed, *others):
            if (TELLING & node.keys() or "id" in node) and (key := self._shared(node)):
                self._note(node, key)
        for node in listed:
            party_id = self.refer(node)
            if party_id is None:
                self.shape.odd["parties without an id, an identifier or a name"] += 1
                continue
            for role in texts(node.get("roles")):
                self.known[party_id].roles |= ROLES.get(role, 0)

    def refer(self, node: Json, role: str = "") -> str | None:
        """The id of an organisation, which is noted with its role; None where nothing names it."""
        if not node:
            return None
        if not TELLING & node.keys() and (met := self.known.get(self._ids.get(str(node.get("id")), ""))):
            # A reference, as most are: it tells nothing new, but for a name where there is none yet.
            met.roles |= ROLES.get(role, 0)
            if met.value["name"] is None:
                met.value["name"] = self._name(node)
            return str(met.value["party_id"])
        shared = self._shared(node)
        party_id = shared or self._known_by_name(node)
        if party_id is None:
            return None
        self._note(node, party_id)
        value = self._value(node, party_id)
        party = self.known.get(party_id)
        if party is None:
            is_shared = shared is not None or not party_id.startswith(f"{self.ocid}/")
            party = self.known[party_id] = Party(value, is_shared)
        elif value["party_biin"] != party_id and party.value["party_biin"] == party_id:
            party.value |= {"party_biin": value["party_biin"], "party_number": value["party_number"]}
        party.value |= {name: part for name, part in value.items() if party.value.get(name) is None}
        party.roles |= ROLES.get(role, 0)
        return party_id

    def code(self, party_id: str | None) -> str | None:
        """The number by which its state knows it; its id where it names none, or several act together."""
        party = self.known.get(party_id or "")
        return party.value["party_biin"] if party else party_id

    def together(self, node: Iterable[Json], role: str = "") -> list[str]:
        """The ids of organisations that act as one, sorted, each once."""
        return sorted({party_id for part in node if (party_id := self.refer(part, role))})

    def _identifier(self, node: Json) -> tuple[str | None, str | None]:
        """Scheme and number: of the identifier, or of the first other one that has a number."""
        identifiers = [self.shape.one(node, "identifier"), *self.shape.many(node, "additionalIdentifiers")]
        numbered = [(_scheme(each), number) for each in identifiers if (number := _number(each))]
        whole = next((pair for pair in numbered if pair[0]), None)
        return whole or (numbered[0] if numbered else (None, None))

    def _shared(self, node: Json) -> str | None:
        """The id that an organisation has in every process."""
        scheme, number = self._identifier(node)
        if not (scheme and number):
            # A person's scheme is known, so that an id which begins with it is one, too.
            stated = _stated(node)
            return self.persons.alias(stated) if stated and self.persons.has_id(stated) else None
        named = number if number.upper().startswith(f"{scheme}-") else f"{scheme}-{number}"
        return self.persons.alias(named) if self.persons.has(scheme, number) or self.persons.has_id(named) else named

    def _known_by_name(self, node: Json) -> str | None:
        """The id within the process: another form of one that was met, or a new one."""
        stated, name = _stated(node), self._name(node)
        if stated:
            return self._ids.get(stated) or f"{self.ocid}/{stated}"
        if name and (met := self._ids.get(name) or self._names.get(name.casefold())):
            return met
        own = self._identifier(node)[1] or name
        return f"{self.ocid}/{own}" if own else None

    def _note(self, node: Json, party_id: str) -> None:
        if stated := _stated(node):
            self._ids.setdefault(stated, party_id)
        if name := self._name(node):
            # Of two of one name neither is meant by the name alone.
            met = self._names.setdefault(name.casefold(), party_id)
            self._names[name.casefold()] = party_id if met == party_id else ""

    def _name(self, node: Json) -> str | None:
        return self.shape.words(node, "name") or self.shape.words(self.shape.one(node, "identifier"), "legalName")

    def _value(self, node: Json, party_id: str) -> Json:
        scheme, number = self._identifier(node)
        stated = _stated(node)
        contact, address = self.shape.one(node, "contactPoint"), self.shape.one(node, "address")
        is_person = self.persons.is_alias(party_id)
        return {
            "party_id": party_id,
            "party_biin": party_id if is_person or not _is_told_apart(scheme, number) else number,
            "party_number": (number or stated) if is_person else None,
            "name": self._name(node),
            "email": text(contact.get("email")),
            "phone": text(contact.get("telephone")),
            "country_code": text(address.get("country")) or self.shape.words(address, "countryName"),
            ADDRESS: _address(address),
        }


def _stated(node: Json) -> str | None:
    stated = text(node.get("id"))
    return None if stated is None or is_nothing(stated.rpartition("-")[2]) else stated


def _scheme(identifier: Json) -> str | None:
    scheme = text(identifier.get("scheme"))
    return None if scheme is None or is_nothing(scheme) or scheme.lower() in NO_SCHEMES else scheme.upper()


def _number(identifier: Json) -> str | None:
    """A number that tells something: not nought, nor what programs write for none."""
    number = text(identifier.get("id"))
    return None if number is None or is_nothing(number.rpartition("-")[2]) or not number.strip("0-./ ") else number


def _is_told_apart(scheme: str | None, number: str | None) -> bool:
    """Whether a number is good for finding an organisation among all: one without a register where it is long."""
    return bool(number and (scheme or len(number) >= LONG))


def _address(node: Json) -> str | None:
    """An address in one line, without its country."""
    parts = (text(node.get(name)) for name in ("streetAddress", "locality", "region", "postalCode"))
    return ", ".join(filter(None, parts)) or None
