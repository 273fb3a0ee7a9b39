"""A Bloom filter: says for certain that a text was never added, with twelve bits a text."""

from __future__ import annotations

from hashlib import md5
from typing import Any

import numpy as np

BITS_EACH, HASHES = 12, 7
"""The rate of false positives is one in three hundred."""
PAIR = np.dtype([("first", "<u8"), ("second", "<u8")])
"""An MD5 hash as ClickHouse writes it in RowBinary, for numpy."""


class BloomFilter:
    """For `capacity` texts. With more there are more false positives, but never a false negative."""

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
        """Add many by their MD5 hashes, one after another."""
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
        # Shifted, so that no sum exceeds 64 bits, where numpy would wrap around and Python would not.
        first = int.from_bytes(digest[:8], "little") >> 2
        step = int.from_bytes(digest[8:], "little") >> 8 | 1
        return [(first + number * step) % self._size for number in range(HASHES)]
