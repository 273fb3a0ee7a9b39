"""How clients log in to Kafka."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class KafkaLogin:
    """Kafka's own names; without a mechanism there is no user."""

    protocol: str
    mechanism: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
