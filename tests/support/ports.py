"""Ports for servers that a test starts itself."""

from __future__ import annotations

import os

from infra.local.processes.ports import is_free

# Below 32,768, where Linux lends ports to outgoing connections at any moment, and apart from the stacks' own ports.
FIRST, PER_WORKER = 20_000, 500


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on now; no other xdist worker gets the same."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10
    slice_of_worker = range(FIRST + worker * PER_WORKER, FIRST + (worker + 1) * PER_WORKER)
    start = os.getpid() % PER_WORKER
    order = [*slice_of_worker[start:], *slice_of_worker[:start]]
    free = [port for port in order if is_free(port)]
    assert len(free) >= count, f"{len(free)} of the ports {slice_of_worker} are free, {count} are needed"
    return free[:count]
