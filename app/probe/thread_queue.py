"""Counts tasks that wait for a thread: in when they have to wait, out when they no longer do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .layout import G_DEQUEUED, G_QUEUED, SUM_MASK

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from anyio import CapacityLimiter


def count_waiting(limiter: CapacityLimiter, words: memoryview) -> None:
    """Count on the page whoever has to wait for one of this limiter's tokens.

    The limiter is given a class derived from its own, with a wrapper around its public
    ``acquire_on_behalf_of``, which all its ways to wait go through (anyio 4, "async with
    limiter" included): its instances have slots, so no method of one can be replaced. Other
    limiters stay as they are. A task waits while no token is available: one that is given
    back goes to the first in the queue at once, so none is free while others wait.

    Must be called on the loop's thread, as the limiter is.
    """
    plain = type(limiter).acquire_on_behalf_of

    def acquire_on_behalf_of(self: CapacityLimiter, borrower: object) -> Coroutine[Any, Any, None]:
        # No coroutine more around those that don't wait.
        if self.available_tokens > 0:
            return plain(self, borrower)
        return waiting(self, borrower)

    async def waiting(self: CapacityLimiter, borrower: object) -> None:
        _count(words, G_QUEUED)
        try:
            await plain(self, borrower)
        finally:
            _count(words, G_DEQUEUED)

    methods = {"__slots__": (), "acquire_on_behalf_of": acquire_on_behalf_of}
    limiter.__class__ = type("CountedLimiter", (type(limiter),), methods)


def _count(words: memoryview, counter: int) -> None:
    total = (words[counter + 1] + time.monotonic_ns()) & SUM_MASK
    words[counter + 1] = 0  # being changed: see the layout
    words[counter] += 1
    words[counter + 1] = total
