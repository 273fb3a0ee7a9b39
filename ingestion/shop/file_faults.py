"""What is wrong with a file of products as a whole, or with a value before it is judged."""

from __future__ import annotations


class FileRefused(Exception):
    """The file as a whole cannot be read. `rule` names what is broken, the message says it."""

    def __init__(self, rule: str, sentence: str) -> None:
        super().__init__(sentence)
        self.rule = rule


class Doubtful(str):
    """A text that could be read in two ways, or in none for a reason worth saying."""

    reason: str = ""

    @classmethod
    def because(cls, text: str, reason: str) -> Doubtful:
        """The text with its reason."""
        fault = cls(text)
        fault.reason = reason
        return fault
