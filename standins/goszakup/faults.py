"""Faults by seed: what goes wrong follows from the seed, the request and how often it was asked, and from nothing else.

Each third request for the same thing is answered well, so three attempts in a row are always enough.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from standins.goszakup.columns import noise

KINDS = ("http", "hang", "cut", "html", "cursor", "repeat", "late", "change", "bare")
"""http: 500, 502, 503, or 429 with Retry-After. hang: no answer for `hang_seconds`. cut: half a body. html: a page with
status 200. cursor: next_page is malformed in one of the two documented ways. repeat: the end of the page before comes
again at the head. late: the page before comes again as a whole, with a cursor that does not advance. change: the last
row of the page before comes again, with a newer index_date. bare: the only row of a list comes without its envelope."""

ON_NEXT = ("repeat", "late", "change")
STATUS = (500, 502, 503, 429)


@dataclass
class Faults:
    """`share` of the requests that can go wrong do. Without a seed nothing does."""

    seed: int | None = None
    share: float = 0.1
    kinds: tuple[str, ...] = KINDS
    hang_seconds: float = 60.0
    played: Counter[str] = field(default_factory=Counter)
    _attempts: Counter[str] = field(default_factory=Counter)

    def choose(self, request: str, follows: bool, continues: bool, is_single: bool = False) -> tuple[str, int]:
        """(kind or "", a number to choose details by).

        `follows`: the page has one before; `continues`: one after; `is_single`: its row is the only one of its list.
        """
        if self.seed is None:
            return "", 0
        attempt = self._attempts[request]
        self._attempts[request] += 1
        if attempt % 3 == 2:
            return "", 0
        bits = int(noise(self.seed, "fault", np.array([crc32(f"{attempt}:{request}".encode())]))[0])
        kinds = [
            kind
            for kind in self.kinds
            if (kind not in ON_NEXT or follows)
            and (kind != "cursor" or continues)
            and (kind != "bare" or is_single)
        ]  # fmt: skip
        if not kinds or (bits >> 20) / 2**44 >= self.share:
            return "", 0
        kind = kinds[bits % 1024 % len(kinds)]
        self.played[kind] += 1
        return kind, bits >> 10 & 1023
