"""Starlette alone, without FastAPI: ``hello:app``."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def hello(request: Request) -> JSONResponse:
    """Greet, after as long as a database takes."""
    await asyncio.sleep(0.02)
    return JSONResponse({"hello": request.path_params["name"]})


app = Starlette(routes=[Route("/hello/{name}", hello)])
