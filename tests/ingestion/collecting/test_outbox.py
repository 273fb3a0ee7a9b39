from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from confluent_kafka import KafkaError

from ingestion.collecting.outbox import Outbox, PageQueue
from ingestion.collecting.page_batch import PageBatch
from ingestion.collecting.run_stats import EndpointStats
from ingestion.core.errors import BrokerLost
from ingestion.core.message import Message
from schemas.procurement import TOPIC
from tests.ingestion.procurement.goszakup.fakes import FakeKafka


def message(number: int) -> Message:
    return Message(f"e{number}", b"key", b"{}", [("ce_id", b"e%d" % number)])


def carried(kafka: FakeKafka, work: Callable[[Outbox], Awaitable[None]]) -> Outbox:
    outbox = Outbox(kafka, TOPIC, "Start it.")

    async def both() -> None:
        hearing = asyncio.ensure_future(outbox.run())
        working = asyncio.ensure_future(work(outbox))
        await asyncio.wait([hearing, working], return_when=asyncio.FIRST_COMPLETED)
        hearing.cancel()
        working.cancel()
        outcomes = await asyncio.gather(hearing, working, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    asyncio.run(both())
    return outbox


def test_pages_that_are_acknowledged_out_of_order_are_saved_in_order() -> None:
    saved: list[int] = []

    async def work(outbox: Outbox) -> None:
        line = PageQueue(outbox, window=4)
        batches = []
        for number in range(3):
            batch = line.batch()
            batch.pending = 2
            line.close(batch, lambda number=number: saved.append(number))  # type: ignore[misc]
            batches.append(batch)
        outbox.unheard = 6

        def sentences(number: int, times: int = 2) -> None:
            for _ in range(times):
                batches[number].hears(None, None)
            line.settle()

        sentences(2)
        sentences(1)
        assert saved == []
        sentences(0, times=1)
        assert saved == []
        sentences(0, times=1)
        assert saved == [0, 1, 2]

    carried(FakeKafka(), work)


def test_a_page_is_done_when_all_of_it_was_handed_over_and_acknowledged() -> None:
    kafka = FakeKafka()
    stats = EndpointStats("lots")
    done: list[str] = []

    async def work(outbox: Outbox) -> None:
        line = PageQueue(outbox)
        page_batch = PageBatch(outbox, line)
        await page_batch.put(stats, [message(1), message(2)])
        outbox._hear()
        assert (outbox.acknowledged, stats.rows, done) == (2, 0, []), "more may follow"
        await page_batch.put(stats, [message(3)])
        page_batch.close(lambda: done.append("page"))
        await line.drained()

    outbox = carried(kafka, work)
    assert (done, stats.rows, outbox.sent, outbox.acknowledged) == (["page"], 3, 3, 3)
    assert [dict(kept.content)["ce_id"] for kept in kafka.kept] == [b"e1", b"e2", b"e3"]


def test_a_page_without_rows_is_done_at_once() -> None:
    done: list[str] = []

    async def work(outbox: Outbox) -> None:
        line = PageQueue(outbox)
        PageBatch(outbox, line).close(lambda: done.append("page"))
        await line.drained()

    carried(FakeKafka(), work)
    assert done == ["page"]


def test_the_next_page_waits_for_room() -> None:
    kafka = FakeKafka(is_deaf=True)
    seen: list[str] = []

    async def work(outbox: Outbox) -> None:
        line = PageQueue(outbox)
        await line.room()
        first = PageBatch(outbox, line)
        await first.put(EndpointStats("lots"), [message(1)])
        first.close()
        waiting = asyncio.ensure_future(line.room())
        for _ in range(5):
            await asyncio.sleep(0)
        seen.append("waits" if not waiting.done() else "went on")
        kafka.is_deaf = False
        await waiting
        seen.append("room")

    carried(kafka, work)
    assert seen == ["waits", "room"]


def test_a_full_queue_makes_the_sender_wait_and_loses_nothing() -> None:
    kafka = FakeKafka(room=7)

    async def work(outbox: Outbox) -> None:
        line = PageQueue(outbox)
        page_batch = PageBatch(outbox, line)
        await page_batch.put(EndpointStats("lots"), map(message, range(100)))
        page_batch.close()
        await line.drained()

    carried(kafka, work)
    assert [dict(kept.content)["ce_id"] for kept in kafka.kept] == [b"e%d" % number for number in range(100)]


def test_a_lost_broker_stops_the_run_and_no_page_counts_as_sent() -> None:
    done: list[str] = []

    async def work(outbox: Outbox) -> None:
        line = PageQueue(outbox)
        page_batch = PageBatch(outbox, line)
        await page_batch.put(EndpointStats("lots"), map(message, range(10)))
        page_batch.close(lambda: done.append("page"))
        await line.drained()

    with pytest.raises(BrokerLost, match=r"did not take an event of the topic procurement-events: .*timed out"):
        carried(FakeKafka(fails_after=9), work)
    assert done == []


def test_an_event_that_is_too_large_is_told_and_its_page_goes_on() -> None:
    done: list[str] = []

    async def work(outbox: Outbox) -> None:
        line = PageQueue(outbox)
        page_batch = PageBatch(outbox, line)
        await page_batch.put(EndpointStats("lots"), map(message, range(3)))
        page_batch.close(lambda: done.append("page"))
        await line.drained()

    outbox = carried(FakeKafka(fails_after=2, error=KafkaError.MSG_SIZE_TOO_LARGE), work)
    assert done == ["page"]
    assert outbox.acknowledged == 2
    assert [event_id for event_id, _ in outbox.refused] == ["e2"]
