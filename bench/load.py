"""A load of POSTs in an open model: ``python -m bench.load URL RATE SECONDS [CONNECTIONS] [BATCH]``, key on stdin.

Each request is due at an instant that is fixed before the run, and its latency runs from there: who answers slowly does
not get fewer requests. RATE is in purchases a second; 0 sends as fast as the connections allow, to see how much can be
taken. It ends with a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count, islice
from urllib.parse import urlsplit

import numpy as np
import uvloop

from bench.stats import percentiles
from standins.world.simulator import single_line_events

CONNECTIONS = 64
WORLD = 20_000
FLOOD_SECONDS = 3_600.0


def bodies(batch: int) -> Iterator[bytes]:
    """Purchases of the simulator, each with a number of its own; endless."""
    events = [message.value or b"" for message in single_line_events(WORLD, run_id="load")]
    run = time.time_ns()
    for number in count():
        parts = []
        for place in range(batch):
            at = number * batch + place
            head, _, tail = events[at % WORLD].partition(b",")
            parts.append(b'{"purchase_id":"%d-%d",%b' % (run, at, tail))
            assert head.startswith(b'{"purchase_id"')
        yield parts[0] if batch == 1 else b'{"purchases":[' + b",".join(parts) + b"]}"


class Load:
    """What is sent, and what was answered."""

    def __init__(self, url: str, key: str, rate: float, seconds: float, batch: int) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port or 80
        head = f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\nauthorization: Bearer {key}\r\n"
        self.head = f"{head}content-type: application/json\r\ncontent-length: ".encode()
        self.rate, self.seconds, self.batch = rate / batch, seconds, batch
        self.total = round(self.rate * seconds) if rate else sys.maxsize
        self.numbers, self.bodies = iter(range(self.total)), bodies(batch)
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.began = 0.0

    async def run(self, connections: int) -> dict[str, object]:
        """Everything, and the figures of it."""
        streams = [await asyncio.open_connection(self.host, self.port) for _ in range(connections)]
        self.began = time.perf_counter() + 0.2
        await asyncio.gather(*(self._worker(*stream) for stream in streams))
        taken = time.perf_counter() - self.began
        good = self.statuses[202] * self.batch
        milliseconds = {name: 1_000 * value for name, value in percentiles(np.array(self.latencies)).items()}
        return {
            "accepted": good, "seconds": taken, "rate": good / taken, "statuses": dict(self.statuses),
            "milliseconds": milliseconds,
        }  # fmt: skip

    async def _worker(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in self.numbers:
            body = next(self.bodies)
            due = self.began + (number / self.rate if self.rate else 0.0)
            early = due - time.perf_counter()
            if early > 0:
                await asyncio.sleep(early)
            if time.perf_counter() - self.began > (FLOOD_SECONDS if self.rate else self.seconds):
                break
            sent_at = due if self.rate else time.perf_counter()
            writer.write(self.head + b"%d\r\n\r\n" % len(body) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            self.latencies.append(time.perf_counter() - sent_at)
            self.statuses[int(head[9:12])] += 1
        writer.close()


def main(url: str, rate: str, seconds: str, connections: str = str(CONNECTIONS), batch: str = "1") -> None:
    """Run it, and tell."""
    load = Load(url, sys.stdin.readline().strip(), float(rate), float(seconds), int(batch))
    print(json.dumps(uvloop.run(load.run(int(connections)))))


if __name__ == "__main__":
    main(*islice(sys.argv, 1, None))
