"""What both http kinds ask of the delay server, and what it answers."""

from __future__ import annotations

from app.settings import SETTINGS

URL = f"{SETTINGS.upstream}/?waitms={SETTINGS.delay_ms}"


def expected() -> object:
    """The delay server's answer, passed on as it is."""
    return {"waited_ms": SETTINGS.delay_ms}
