"""``noop``: no IO at all: what the framework and the server cost by themselves."""

from __future__ import annotations

WAITS = False
UPSTREAM_CALLS = 0


def blocking() -> object:
    """Answer at once."""
    return expected()


async def awaiting() -> object:
    """Answer at once."""
    return expected()


def expected() -> object:
    """Nothing but an answer."""
    return {"ok": True}
