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


def watched(
    application: Application, started: Callable[[], None], gauges: Gauges | None
) -> Application:
    """Call ``started`` on the worker's loop once the application is up; count its requests.

    One wrapper for both, and the request's way first: each call costs some microseconds.
    """
    words = gauges.words if gauges is not None else None

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if words is not None and scope["type"] == "http":
            words[G_STARTED] += 1
            try:
                await application(scope, receive, send)
            finally:
                words[G_FINISHED] += 1
        elif scope["type"] == "lifespan":
            await application(scope, receive, _telling(send, started))
        else:
            await application(scope, receive, send)

    return wrapped


def _telling(send: Send, started: Callable[[], None]) -> Send:
    async def telling(message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            started()
        await send(message)

    return telling
