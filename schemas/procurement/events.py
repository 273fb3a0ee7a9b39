"""The topic of public procurement."""

from schemas.common.envelope import Raw, Refused
from schemas.contract import feed, table
from schemas.procurement import TOPIC


@feed(topic=TOPIC, partitions=2)
class ProcurementRows:
    """Rows of procurement registers, untouched, one event a row; the event's type names the register."""


@table("bronze.procurement", refresh="stream", built_from=[ProcurementRows])
class ProcurementRaw(Raw):
    """One row per record of the topic procurement-events, untouched."""


@table("quarantine.procurement", refresh="stream", built_from=[ProcurementRaw])
class ProcurementRefused(Refused):
    """One row per refused row or page of a register."""
