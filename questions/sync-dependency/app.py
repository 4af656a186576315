"""An async def route without dependencies, with def ones and with async def ones."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI

app = FastAPI(openapi_url=None)


def blocking_1() -> int:
    """Runs in a thread of the pool, as all def dependencies do."""
    return 1


def blocking_2() -> int:
    """Another."""
    return 2


def blocking_3() -> int:
    """A third."""
    return 3


async def awaited_1() -> int:
    """Runs on the loop."""
    return 1


async def awaited_2() -> int:
    """Another."""
    return 2


async def awaited_3() -> int:
    """A third."""
    return 3


@app.get("/none", response_model=None)
async def none() -> dict[str, int]:
    """Without."""
    return {"sum": 0}


@app.get("/def1", response_model=None)
async def def1(one: Annotated[int, Depends(blocking_1)]) -> dict[str, int]:
    """One def."""
    return {"sum": one}


@app.get("/def3", response_model=None)
async def def3(
    one: Annotated[int, Depends(blocking_1)],
    two: Annotated[int, Depends(blocking_2)],
    three: Annotated[int, Depends(blocking_3)],
) -> dict[str, int]:
    """Three of them."""
    return {"sum": one + two + three}


@app.get("/async1", response_model=None)
async def async1(one: Annotated[int, Depends(awaited_1)]) -> dict[str, int]:
    """One async def."""
    return {"sum": one}


@app.get("/async3", response_model=None)
async def async3(
    one: Annotated[int, Depends(awaited_1)],
    two: Annotated[int, Depends(awaited_2)],
    three: Annotated[int, Depends(awaited_3)],
) -> dict[str, int]:
    """Three of them."""
    return {"sum": one + two + three}
