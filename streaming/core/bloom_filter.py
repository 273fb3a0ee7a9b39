"""Which events may have come before: a Bloom filter over the hashes of a table's events.

The filter is a cache of the table. "No" is certain; "maybe" is looked up in the table. It takes a few bytes an event,
where a scan would read thirty days for each batch. It is built again at each start, so it cannot be lost.

With 16 bits a key and 4 probes, a full filter answers "maybe" for 0.24 % of new keys (Bloom 1970; probes by double
hashing, Kirsch and Mitzenmacher 2006).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.int64]

BITS, PROBES = 16, 4
MIN_CAPACITY = 1 << 20


class BloomFilter:
    """Holds well-mixed 64-bit hashes (xxhash64). For a hash that was added the answer is never "no"."""

    def __init__(self, capacity: int, probes: int = PROBES) -> None:
        self.probes = probes
        self.capacity = 1 << max(capacity, MIN_CAPACITY).bit_length()
        self.count = 0
        self._mask = np.uint64(self.capacity * BITS - 1)
        self._bits = np.zeros(self.capacity * BITS // 8, dtype=np.uint8)

    def has_room(self, more: int) -> bool:
        """Whether so many more can be added without a larger share of false answers."""
        return self.count + more <= self.capacity

    def add(self, hashes: Hashes) -> None:
        """Add these; duplicates are allowed."""
        for byte, bit in self._positions(hashes):
            # Of several bits for one byte the last is set, the others in the next round: ufunc.at takes twice as long.
            while len(byte):
                self._bits[byte] |= bit
                missing = (self._bits[byte] & bit) == 0
                byte, bit = byte[missing], bit[missing]
        self.count += len(hashes)

    def might_contain(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """By hash: False where it was certainly not added."""
        is_set = np.ones(len(hashes), dtype=np.bool_)
        for byte, bit in self._positions(hashes):
            is_set &= (self._bits[byte] & bit) != 0
        return is_set

    def _positions(self, hashes: Hashes) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]]:
        """For each probe: the bytes, and in each the bit."""
        keys = hashes.view(np.uint64)
        first, step = keys & np.uint64(0xFFFFFFFF), keys >> np.uint64(32) | np.uint64(1)
        for probe in range(self.probes):
            position = (first + np.uint64(probe) * step) & self._mask
            yield (position >> np.uint64(3)).astype(np.int64), np.uint8(1) << (position & np.uint64(7)).astype(np.uint8)


def suspects(hashes: Hashes, before: BloomFilter) -> Hashes:
    """The hashes that are here twice, or that the filter may contain. Each once."""
    values, counts = np.unique(hashes, return_counts=True)
    return values[(counts > 1) | before.might_contain(values)]
