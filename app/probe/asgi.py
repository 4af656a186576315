"""Puts the probe around an ASGI application: pure ASGI, one more call a request.

Not Starlette's BaseHTTPMiddleware: that runs the application in a task of its
own and raised anyio.BrokenResourceError at a few hundred users.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from app.probe.layout import G_FINISHED, G_STARTED

if TYPE_CHECKING:
    from app.probe.gauges import Gauges

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def when_started(application: Application, started: Callable[[], None]) -> Application:
    """Call ``started`` on the worker's event loop once the application has started up."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await application(scope, receive, send)
            return

        async def watched(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                started()
            await send(message)

        await application(scope, receive, watched)

    return wrapped


def counted(application: Application, gauges: Gauges) -> Application:
    """Count the requests that enter and leave the application."""
    words = gauges.words

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        words[G_STARTED] += 1
        try:
            await application(scope, receive, send)
        finally:
            words[G_FINISHED] += 1

    return wrapped
