"""The FastAPI application under test: ``app.main:app`` for every server."""

from __future__ import annotations

import asyncio
import json
import os
import platform
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI

from app.io import Kind, kinds
from app.probe.asgi import Application, watched
from app.probe.gauges import Gauges
from app.probe.thread_log import ThreadLog
from app.probe.worker import be_traced, limit_threads, parser
from app.routes import Route, handler, routes
from app.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager


def create_app(settings: Settings) -> Application:
    """FastAPI with all routes; recorded when the harness gives a folder to record in."""
    recording = settings.trial_dir is not None and settings.probe
    log = gauges = None
    if recording and settings.trial_dir is not None:
        log = ThreadLog(settings.trial_dir / f"threads-{os.getpid()}.bin")
        gauges = Gauges(settings.trial_dir / f"gauges-{os.getpid()}.bin")

    found = tuple(kinds(settings.io))
    table = routes(iter(found))
    fastapi = FastAPI(openapi_url=None, lifespan=_closing(found))
    for route in table:
        # No response model: FastAPI would take `-> object` for one, and for a
        # `def` endpoint it applies that in the thread pool, so each request
        # would queue for a thread twice.
        endpoint = handler(route, log)
        fastapi.add_api_route(route.path, endpoint, methods=["GET"], response_model=None)

    if settings.trial_dir is None:
        return fastapi
    return watched(fastapi, _announcer(settings, table, log, gauges), gauges)


def _closing(found: tuple[Kind, ...]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        for kind in found:
            if kind.close is not None:
                await kind.close()

    return lifespan


def _announcer(
    settings: Settings, table: tuple[Route, ...], log: ThreadLog | None, gauges: Gauges | None
) -> Callable[[], None]:
    folder = settings.trial_dir or Path()

    def announce() -> None:
        limit_threads()
        if gauges is not None and log is not None:
            gauges.start(log)
        be_traced()
        target = folder / f"worker-{os.getpid()}.json"
        draft = target.with_suffix(".draft")
        draft.write_text(json.dumps(_about(table)), encoding="utf-8")
        draft.replace(target)

    return announce


def _about(table: tuple[Route, ...]) -> dict[str, object]:
    """What this worker really is: what was asked for may not be what runs."""
    loop = type(asyncio.get_running_loop())
    return {
        "pid": os.getpid(),
        "python": platform.python_version(),
        "loop": f"{loop.__module__.partition('.')[0]}.{loop.__name__}",
        "http": parser(),
        "routes": [
            {
                "index": route.index,
                "path": route.path,
                "expected": route.kind.expected(),
                "waits": route.kind.waits,
                "upstream_calls": route.kind.upstream_calls,
                "threaded": route.endpoint == "sync",  # FastAPI's thread pool runs it
            }
            for route in table
        ],
    }


app = create_app(SETTINGS)
