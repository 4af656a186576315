"""An application with a blocking call that nobody sees: ``main:app``."""

from __future__ import annotations

import time

from fastapi import FastAPI

app = FastAPI()


def _from_the_exchange() -> float:
    """As a client library does that waits for its answer."""
    time.sleep(0.05)
    return 42.0


@app.get("/quote")
async def quote() -> dict[str, float]:
    """The mistake: nothing here says that it waits, and the loop stands still meanwhile."""
    return {"price": _from_the_exchange()}


@app.get("/health")
async def health() -> dict[str, str]:
    """Innocent, and as slow as the other."""
    return {"status": "ok"}
