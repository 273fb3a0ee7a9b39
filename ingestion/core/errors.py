"""How ingestion ends badly. Each is printed as a sentence, never with a stack trace."""

from __future__ import annotations


class IngestError(Exception):
    """Something that should have worked did not. The message says what, and what to do next."""

    code = 1


class Unreadable(IngestError):
    """The input cannot be read at all, or the user's settings for it are wrong: nothing was sent."""

    code = 2


class BrokerLost(IngestError):
    """Kafka does not answer, or refuses what it should take. What was acknowledged before stays."""


class DiskFull(BrokerLost):
    """There is too little space for more. What was acknowledged before stays."""
