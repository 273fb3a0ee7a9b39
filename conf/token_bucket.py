"""A token bucket: so many events a second, of which some may come at once."""

from __future__ import annotations

from dataclasses import dataclass

ALMOST_ONE = 1 - 1e-9
"""A hair less than one token is one, or rounding would make a wait too short to pass."""


@dataclass(slots=True)
class TokenBucket:
    """How many tokens there were at an instant, in seconds of any clock. The rate may differ from call to call."""

    tokens: float
    at: float

    def take(self, now: float, rate: float, size: float) -> float:
        """Take a token: 0, or, where there is none, the seconds until there is one. `rate` is tokens a second."""
        self.tokens = min(size, self.tokens + (now - self.at) * rate)
        self.at = now
        if self.tokens < ALMOST_ONE:
            return (1 - self.tokens) / rate
        self.tokens -= 1
        return 0.0
