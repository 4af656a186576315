"""Puts the probe around an ASGI application: pure ASGI, one more call a request.

Not Starlette's BaseHTTPMiddleware: that runs the application in a task of its
own and raised anyio.BrokenResourceError at a few hundred users.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from .layout import G_FINISHED, G_FINISHED_SUM, G_STARTED, G_STARTED_SUM, SUM_MASK

if TYPE_CHECKING:
    from .gauges import Gauges

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def watched(
    application: Application,
    up: Callable[[], None],
    gauges: Gauges | None,
    *,
    works_on: bool = False,
) -> Application:
    """Call ``up`` on the worker's loop once the application is up; count its requests.

    One wrapper for both, and the request's way first: each call costs some microseconds. An
    application that may work on after its answer (a background task, the end of a dependency)
    has a request until the answer is out (``works_on``), which costs a call more for each message.
    """
    words = gauges.words if gauges is not None else None
    # All on the loop's thread, so the figures may be kept here: reading them back
    # from the page would cost as much again as writing them.
    started = started_sum = finished = finished_sum = 0
    clock = time.monotonic_ns

    def finish() -> None:
        nonlocal finished, finished_sum
        if words is not None:
            finished += 1
            finished_sum = (finished_sum + clock()) & SUM_MASK
            words[G_FINISHED_SUM] = 0
            words[G_FINISHED] = finished
            words[G_FINISHED_SUM] = finished_sum

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal started, started_sum
        if words is not None and scope["type"] == "http":
            started += 1
            started_sum = (started_sum + clock()) & SUM_MASK
            words[G_STARTED_SUM] = 0  # being changed: see the layout
            words[G_STARTED] = started
            words[G_STARTED_SUM] = started_sum
            if works_on:
                await _until_answered(application, scope, receive, send, finish)
                return
            try:
                await application(scope, receive, send)
            finally:
                finish()
        elif scope["type"] == "lifespan":
            await application(scope, receive, _telling(send, up))
        else:
            await application(scope, receive, send)

    return wrapped


async def _until_answered(
    application: Application,
    scope: Scope,
    receive: Receive,
    send: Send,
    finish: Callable[[], None],
) -> None:
    """Call ``finish`` once: when the last of the answer is out, or the application has ended."""
    answered = False

    async def sending(message: Message) -> None:
        nonlocal answered
        await send(message)
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if last and not answered:
            answered = True
            finish()

    try:
        await application(scope, receive, sending)
    finally:
        if not answered:
            finish()


def _telling(send: Send, up: Callable[[], None]) -> Send:
    async def telling(message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            up()
        await send(message)

    return telling
