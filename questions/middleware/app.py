"""One route behind no middleware, pure ASGI ones, and Starlette's BaseHTTPMiddleware."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.middleware.base import BaseHTTPMiddleware


class Pure:
    """Adds a header, as a function around the application."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-seen", b"1"))
            await send(message)

        await self.app(scope, receive, sending if scope["type"] == "http" else send)


class Base(BaseHTTPMiddleware):
    """The same as Starlette's class has it."""

    async def dispatch(self, request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-seen"] = "1"
        return response


def behind(path: str, kind: type | None, count: int) -> FastAPI:
    """An application of its own, so that none pays for another's."""
    made = FastAPI(openapi_url=None)
    for _ in range(count):
        made.add_middleware(kind)  # type: ignore[arg-type]

    async def answer() -> dict[str, bool]:
        return {"ok": True}

    made.add_api_route(path, answer, response_model=None)
    return made


APPLICATIONS = {
    "/none": behind("/none", None, 0),
    **{f"/pure{n}": behind(f"/pure{n}", Pure, n) for n in (1, 3, 5)},
    **{f"/base{n}": behind(f"/base{n}", Base, n) for n in (1, 3, 5)},
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Whichever the path names."""
    if scope["type"] == "lifespan":
        await APPLICATIONS["/none"](scope, receive, send)
        return
    await APPLICATIONS.get(scope["path"], APPLICATIONS["/none"])(scope, receive, send)
