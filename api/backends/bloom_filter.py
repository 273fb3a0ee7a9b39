"""A Bloom filter: whether a text was surely never added, in ten bits a text and without asking anybody."""

from __future__ import annotations

from hashlib import md5
from typing import Any

import numpy as np

BITS_EACH, HASHES = 12, 7
"""One in three hundred texts that were never added looks as if it had been."""
PAIR = np.dtype([("first", "<u8"), ("second", "<u8")])
"""An MD5, as ClickHouse hands it out in RowBinary and as numpy reads it."""


class BloomFilter:
    """Takes `capacity` texts; with more it errs more often, and never says of one that it is not there."""

    def __init__(self, capacity: int) -> None:
        self.capacity = max(capacity, 1_000)
        self.count = 0
        self._size = self.capacity * BITS_EACH
        self._bits = bytearray(self._size // 8 + 1)
        self._view: Any = np.frombuffer(self._bits, dtype=np.uint8)

    def add(self, text: str) -> None:
        """Add one text."""
        for place in self._places(text):
            self._bits[place >> 3] |= 1 << (place & 7)
        self.count += 1

    def add_hashes(self, hashes: bytes) -> None:
        """Add many by their MD5s, one behind the other."""
        pairs = np.frombuffer(hashes, dtype=PAIR)
        first, step = pairs["first"] >> np.uint64(2), (pairs["second"] >> np.uint64(8)) | np.uint64(1)
        for number in range(HASHES):
            places = (first + np.uint64(number) * step) % np.uint64(self._size)
            bits = np.left_shift(np.uint8(1), (places & np.uint64(7)).astype(np.uint8))
            np.bitwise_or.at(self._view, places >> np.uint64(3), bits)
        self.count += len(pairs)

    def __contains__(self, text: str) -> bool:
        bits = self._bits
        return all(bits[place >> 3] >> (place & 7) & 1 for place in self._places(text))

    def _places(self, text: str) -> list[int]:
        digest = md5(text.encode(), usedforsecurity=False).digest()
        # Shifted, so that no sum passes 64 bits, where Python goes on and numpy begins again.
        first = int.from_bytes(digest[:8], "little") >> 2
        step = int.from_bytes(digest[8:], "little") >> 8 | 1
        return [(first + number * step) % self._size for number in range(HASHES)]
