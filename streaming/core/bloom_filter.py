"""Which events may have come before: a Bloom filter over the hashes of a table's events.

The table is the truth, this is a cache of it: "no" is certain, "perhaps" is looked up in the table. It takes a few
bytes an event in place of a scan of thirty days a batch, and there is nothing to lose: each start makes it anew.

A filter of 16 bits a key with 4 probes answers "perhaps" for 0.24 % of new keys when full (Bloom 1970; probes by
double hashing, Kirsch and Mitzenmacher 2006).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.int64]

BITS, PROBES = 16, 4
LEAST = 1 << 20


class Seen:
    """Takes well-mixed 64-bit hashes (xxhash64). One that was added is never answered with no."""

    def __init__(self, capacity: int, probes: int = PROBES) -> None:
        self.probes = probes
        self.capacity = 1 << max(capacity, LEAST).bit_length()
        self.count = 0
        self._mask = np.uint64(self.capacity * BITS - 1)
        self._bits = np.zeros(self.capacity * BITS // 8, dtype=np.uint8)

    def has_room(self, more: int) -> bool:
        """Whether so many more keep the share of false answers."""
        return self.count + more <= self.capacity

    def add(self, hashes: Hashes) -> None:
        """Remember these, duplicates too."""
        for byte, bit in self._places(hashes):
            # Of several bits for one byte the last is set, the others in the next round: ufunc.at takes twice as long.
            while len(byte):
                self._bits[byte] |= bit
                missing = (self._bits[byte] & bit) == 0
                byte, bit = byte[missing], bit[missing]
        self.count += len(hashes)

    def perhaps(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """By hash: False where it was certainly not added."""
        found = np.ones(len(hashes), dtype=np.bool_)
        for byte, bit in self._places(hashes):
            found &= (self._bits[byte] & bit) != 0
        return found

    def _places(self, hashes: Hashes) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]]:
        """For each probe: the bytes, and in each the bit."""
        keys = hashes.view(np.uint64)
        first, step = keys & np.uint64(0xFFFFFFFF), keys >> np.uint64(32) | np.uint64(1)
        for probe in range(self.probes):
            place = (first + np.uint64(probe) * step) & self._mask
            yield (place >> np.uint64(3)).astype(np.int64), np.uint8(1) << (place & np.uint64(7)).astype(np.uint8)


def suspects(hashes: Hashes, before: Seen) -> Hashes:
    """The hashes that come twice here, or perhaps came before. Each once."""
    values, counts = np.unique(hashes, return_counts=True)
    return values[(counts > 1) | before.perhaps(values)]
