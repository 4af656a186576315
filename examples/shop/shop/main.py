"""The application: ``shop.main:app``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import aiosqlite
from fastapi import Depends, FastAPI, Form, Header, HTTPException
from pydantic import BaseModel

from shop.database import PATH, connection

PAGE = 20
TOKEN = "a-token-for-ada"  # a real one would be made for each user


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One connection for all ``async def`` routes."""
    async with aiosqlite.connect(PATH) as database:
        database.row_factory = aiosqlite.Row
        app.state.database = database
        yield


app = FastAPI(lifespan=lifespan)


class NewItem(BaseModel):
    """What a customer sends."""

    name: str
    price: int


def customer(authorization: Annotated[str, Header()] = "") -> str:
    """Whose token it is."""
    if authorization != f"Bearer {TOKEN}":
        raise HTTPException(401)
    return "ada"


@app.get("/health")
def health() -> dict[str, str]:
    """For whoever waits for the shop to open."""
    return {"status": "ok"}


@app.post("/token")
def token(username: Annotated[str, Form()], password: Annotated[str, Form()]) -> dict[str, str]:
    """Log in."""
    if (username, password) != ("ada", "lovelace"):
        raise HTTPException(401)
    return {"access_token": TOKEN, "token_type": "bearer"}


@app.get("/items")
def items(page: int = 1) -> list[dict[str, Any]]:
    """A page of items, in a thread."""
    rows = connection().execute(
        "SELECT * FROM items ORDER BY id LIMIT ? OFFSET ?", (PAGE, PAGE * (page - 1))
    )
    return [dict(row) for row in rows]


@app.get("/async/items")
async def items_async(page: int = 1) -> list[dict[str, Any]]:
    """The same, on the loop."""
    found = await app.state.database.execute_fetchall(
        "SELECT * FROM items ORDER BY id LIMIT ? OFFSET ?", (PAGE, PAGE * (page - 1))
    )
    return [dict(row) for row in found]


@app.get("/search")
def search(word: str) -> list[dict[str, Any]]:
    """A slow query: it reads every row."""
    rows = connection().execute(
        "SELECT * FROM items WHERE lower(name) LIKE ? ORDER BY price DESC", (f"%{word}%",)
    )
    return [dict(row) for row in rows]


@app.post("/items", status_code=201)
def add(item: NewItem, who: Annotated[str, Depends(customer)]) -> dict[str, Any]:
    """One more item."""
    with connection() as database:
        made = database.execute(
            "INSERT INTO items (name, price) VALUES (?, ?)", (f"{item.name} of {who}", item.price)
        )
    return {"id": made.lastrowid, "name": item.name}
