"""The same answer without a model, with one, and made by hand; small and large."""

from __future__ import annotations

import json
import warnings
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import ORJSONResponse
from pydantic import BaseModel

warnings.simplefilter("ignore", DeprecationWarning)  # ORJSONResponse is: whether rightly is asked


class Item(BaseModel):
    """Of a shop."""

    id: int
    name: str
    price: float
    tags: list[str]


SMALL = {"id": 7, "name": "a lamp", "price": 12.5, "tags": ["light", "table"]}
LARGE = [SMALL | {"id": number} for number in range(200)]
app = FastAPI(openapi_url=None)


def add(path: str, value: Any, *, blocking: bool, **options: Any) -> None:
    """A route that gives the value."""

    def plain() -> Any:
        return value

    async def awaited() -> Any:
        return value

    app.add_api_route(path, plain if blocking else awaited, **options)


for size, value, model in (("small", SMALL, Item), ("large", LARGE, list[Item])):
    for way, blocking in (("async", False), ("def", True)):
        add(f"/{way}/{size}/none", value, blocking=blocking, response_model=None)
        add(f"/{way}/{size}/model", value, blocking=blocking, response_model=model)


@app.get("/async/small/orjson")
async def small_orjson() -> ORJSONResponse:
    """Encoded by orjson."""
    return ORJSONResponse(SMALL)


@app.get("/async/large/orjson")
async def large_orjson() -> ORJSONResponse:
    """Encoded by orjson."""
    return ORJSONResponse(LARGE)


@app.get("/async/small/response")
async def small_response() -> Response:
    """Encoded by hand."""
    return Response(json.dumps(SMALL), media_type="application/json")


@app.get("/async/large/response")
async def large_response() -> Response:
    """Encoded by hand."""
    return Response(json.dumps(LARGE), media_type="application/json")
