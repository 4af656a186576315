"""Drives an ASGI application without a server: start-up, requests one after another, shutdown.

As a program, it runs ``app.main:app`` of the folder it is started in and asks for each path it
is given; it prints, as JSON, one object an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from app.probe.asgi import Application, Message


@contextlib.asynccontextmanager
async def client_of(application: Application) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, between its start-up and its shutdown; follows no redirect."""
    orders: asyncio.Queue[Message] = asyncio.Queue()
    done: asyncio.Queue[str] = asyncio.Queue()

    async def tell(message: Message) -> None:
        await done.put(message["type"])

    lifespan = asyncio.ensure_future(
        application({"type": "lifespan", "asgi": {"version": "3.0"}}, orders.get, tell)
    )
    await orders.put({"type": "lifespan.startup"})
    if (told := await done.get()) != "lifespan.startup.complete":
        raise RuntimeError(told)
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        yield client
    await orders.put({"type": "lifespan.shutdown"})
    if (told := await done.get()) != "lifespan.shutdown.complete":
        raise RuntimeError(told)
    await lifespan


async def ask(application: Application, paths: Iterable[str]) -> list[dict[str, Any]]:
    """What the application answers to each path, and how long that took."""
    answers = []
    async with client_of(application) as client:
        for path in paths:
            began = time.monotonic()
            response = await client.get(path)
            took_s = time.monotonic() - began
            answers.append(
                {
                    "path": path,
                    "status": response.status_code,
                    "body": response.json(),
                    "took_s": took_s,
                }
            )
    return answers


def drive(root: Path, paths: Iterable[str], **variables: str) -> list[dict[str, Any]]:
    """The same of the application in ``root``, in a process of its own.

    Args:
        root: the folder that holds ``app``.
        paths: what to ask for.
        variables: of the environment, ``MATRIX_*``.

    Raises:
        RuntimeError: the process failed; its text is what it said.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MATRIX_")}
    done = subprocess.run(
        [sys.executable, __file__, *paths],
        cwd=root,
        # Its own folder and no proxy between it and its upstream.
        env=ours | {"PYTHONPATH": str(root), "NO_PROXY": "*"} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ask(importlib.import_module("app.main").app, sys.argv[1:]))))  # noqa: T201
