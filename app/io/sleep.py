"""``sleep``: wait without doing anything: what waiting itself costs an endpoint."""

from __future__ import annotations

import asyncio
import time

from app.settings import SETTINGS

WAITS = True
UPSTREAM_CALLS = 0

_DELAY_S = SETTINGS.delay_ms / 1000


def blocking() -> object:
    """Sleep on the calling thread."""
    time.sleep(_DELAY_S)
    return expected()


async def awaiting() -> object:
    """Sleep on the event loop, which goes on meanwhile."""
    await asyncio.sleep(_DELAY_S)
    return expected()


def expected() -> object:
    """The delay."""
    return {"slept_ms": SETTINGS.delay_ms}
