"""Who waits for a thread is counted for exactly as long, and nothing else changes for anyone."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import pytest

from app.probe import layout
from app.probe.thread_queue import count_waiting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio import CapacityLimiter


class Queue:
    """A limiter of so many tokens whose waiting tasks are counted."""

    def __init__(self, tokens: int) -> None:
        self.words = memoryview(bytearray(layout.GAUGE_BYTES)).cast("Q")
        self.limiter = anyio.CapacityLimiter(tokens)
        count_waiting(self.limiter, self.words)
        self.order: list[int] = []

    def counts(self) -> tuple[int, int]:
        """Tasks that had to wait, and those that no longer do."""
        return self.words[layout.G_QUEUED], self.words[layout.G_DEQUEUED]

    def waited_ns(self) -> int:
        """All that was waited, once nobody does any more."""
        grown = self.words[layout.G_DEQUEUED_SUM] - self.words[layout.G_QUEUED_SUM]
        return grown & layout.SUM_MASK

    async def use(self, number: int, hold_s: float = 0.0) -> int:
        """Take a token, and keep it for a while; how long that took to get, in ns."""
        before = time.monotonic_ns()
        async with self.limiter:
            took = time.monotonic_ns() - before
            self.order.append(number)
            await asyncio.sleep(hold_s)
        return took


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run it on a loop."""

    async def main() -> None:
        await scenario()

    asyncio.run(main())


def test_who_waits_is_counted_for_as_long() -> None:
    """Two tokens, seven tasks: five wait, in their order, and their time is what they saw."""

    async def scenario() -> None:
        queue = Queue(2)
        tasks = [asyncio.ensure_future(queue.use(number, 0.01)) for number in range(7)]
        await asyncio.sleep(0.005)
        assert queue.counts() == (5, 0)
        took = await asyncio.gather(*tasks)
        assert queue.counts() == (5, 5)
        assert queue.order == list(range(7))
        # What each saw has a little more in it: what comes before and after the wait.
        assert 0.9 * sum(took[2:]) < queue.waited_ns() <= sum(took[2:])

    run(scenario)


def test_who_need_not_wait_is_not_counted() -> None:
    """And gets its token as ever."""

    async def scenario() -> None:
        queue = Queue(2)
        for number in range(5):
            await queue.use(number)
        assert queue.counts() == (0, 0)
        assert queue.limiter.borrowed_tokens == 0

    run(scenario)


def test_who_gives_up_waits_no_longer() -> None:
    """Cancelled, a task is neither counted on nor in the limiter's queue."""

    async def scenario() -> None:
        queue = Queue(1)
        holder = asyncio.ensure_future(queue.use(0, 0.05))
        waiting = [asyncio.ensure_future(queue.use(number)) for number in (1, 2, 3)]
        await asyncio.sleep(0.01)
        waiting[1].cancel()
        await asyncio.wait([waiting[1]])
        assert queue.counts() == (3, 1)
        assert queue.limiter.statistics().tasks_waiting == 2
        await asyncio.gather(holder, waiting[0], waiting[2])
        assert queue.counts() == (3, 3)
        assert queue.order == [0, 1, 3]

    run(scenario)


def test_more_tokens_let_the_waiting_in() -> None:
    """As the limiter does by itself; who comes when all are lent again waits."""

    async def scenario() -> None:
        queue = Queue(1)
        tasks = [asyncio.ensure_future(queue.use(number, 0.02)) for number in range(3)]
        await asyncio.sleep(0.005)
        queue.limiter.total_tokens = 3
        await asyncio.sleep(0.005)
        assert queue.counts() == (2, 2)
        await asyncio.gather(*tasks, queue.use(3))
        assert queue.counts() == (3, 3)

    run(scenario)


def test_a_task_that_already_holds_a_token_is_refused_as_ever() -> None:
    """Its own mistake, with the limiter's own message; it doesn't stay in the queue."""

    async def scenario() -> None:
        queue = Queue(1)
        async with queue.limiter:
            with pytest.raises(RuntimeError, match="already holding"):
                await queue.limiter.acquire()
        assert queue.counts() == (1, 1)

    run(scenario)


def test_other_limiters_are_left_alone() -> None:
    """Those of an application's own are no pool of threads."""

    async def scenario() -> None:
        queue, other = Queue(1), anyio.CapacityLimiter(1)

        async def use() -> None:
            async with other:
                await asyncio.sleep(0.005)

        await asyncio.gather(use(), use())
        assert queue.counts() == (0, 0)
        assert type(other) is not type(queue.limiter)
        assert isinstance(queue.limiter, type(other))

    run(scenario)


@pytest.mark.parametrize("tokens", [1, 3])
def test_the_pool_of_threads_waits_through_it(tokens: int) -> None:
    """Calls that run in threads come by here, those that find a thread free at once too."""

    async def scenario() -> None:
        limiter: CapacityLimiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = tokens
        words = memoryview(bytearray(layout.GAUGE_BYTES)).cast("Q")
        count_waiting(limiter, words)
        calls = [anyio.to_thread.run_sync(time.sleep, 0.01) for _ in range(5)]
        await asyncio.gather(*calls)
        assert words[layout.G_QUEUED] == words[layout.G_DEQUEUED] == 5 - tokens

    run(scenario)
