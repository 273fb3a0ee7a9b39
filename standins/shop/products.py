"""The products of the simulated world as a file that a shop might send."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ingestion.core.registry import SimulatedInput
from ingestion.shop.check import FILE
from ingestion.shop.stage import schema, write_parquet
from standins.shop import people
from standins.world.world import make_world


def write(path: Path, seed: int, until: datetime) -> None:
    """Write the products of the world that ends at `until`."""
    world = make_world(seed, until=until)
    rows = ({**row, "changed_at": world.since} for row in people.products(world))
    write_parquet(path, schema(FILE), rows)


SIMULATED_INPUT = SimulatedInput("shop.products", write)
