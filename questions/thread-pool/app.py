"""A def route that blocks for 50 ms, and the same by asyncio.to_thread: another pool."""

from __future__ import annotations

import asyncio
import time

from fastapi import FastAPI

app = FastAPI(openapi_url=None)
WAIT_S = 0.05


@app.get("/pool", response_model=None)
def pool() -> dict[str, bool]:
    """In a thread of the pool that FastAPI gives def routes."""
    time.sleep(WAIT_S)
    return {"ok": True}


@app.get("/to_thread", response_model=None)
async def to_thread() -> dict[str, bool]:
    """In a thread of asyncio's own executor."""
    await asyncio.to_thread(time.sleep, WAIT_S)
    return {"ok": True}
