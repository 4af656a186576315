"""Routes with and without a background task that blocks: it takes a thread of the pool."""

from __future__ import annotations

import asyncio
import time

from fastapi import BackgroundTasks, FastAPI

app = FastAPI(openapi_url=None)
TASK_S, WORK_S = 0.2, 0.01


def send_mail() -> None:
    """A def task, as most are."""
    time.sleep(TASK_S)


async def send_mail_awaited() -> None:
    """The same, awaited."""
    await asyncio.sleep(TASK_S)


@app.get("/plain", response_model=None)
def plain() -> dict[str, bool]:
    """Without a task."""
    time.sleep(WORK_S)
    return {"ok": True}


@app.get("/task", response_model=None)
def task(tasks: BackgroundTasks) -> dict[str, bool]:
    """With a def one."""
    time.sleep(WORK_S)
    tasks.add_task(send_mail)
    return {"ok": True}


@app.get("/awaited", response_model=None)
def awaited(tasks: BackgroundTasks) -> dict[str, bool]:
    """With an async def one."""
    time.sleep(WORK_S)
    tasks.add_task(send_mail_awaited)
    return {"ok": True}
