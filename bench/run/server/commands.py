"""How each server is started: one function a server, everything pinned and stated.

All that can be told so keep idle connections for 75 s and take a backlog of 2048, write no access
log, and never restart a worker because its event loop is blocked: a blocked loop is a finding here.
`fastapi_run` is as most people start it: what it leaves at its defaults stays there. ``loop`` and
``http`` are what the workers must report of themselves; another answer fails the trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

OURS = "app.main:app"
THEIRS = "matrix_target:app"  # app/foreign: a person's own, with the probe around it
KEEP_ALIVE_S = "75"
BACKLOG = "2048"
NEVER_S = "86400"  # longer than any trial
CONNECTIONS = "100000"  # as many as there may be users


@dataclass(frozen=True, slots=True)
class Server:
    """A server's command line, and what it must turn out to run on."""

    # application, python, host, port, workers
    command: Callable[[str, Path, str, int, int], list[str]]
    loop: str
    http: str
    loads_late: bool = False  # its parser with the first connection, so no worker tells it before


def _uvicorn(app: str, python: Path, host: str, port: int, workers: int) -> list[str]:
    return _uvicorn_with("httptools", app, python, host, port, workers)


def _uvicorn_h11(app: str, python: Path, host: str, port: int, workers: int) -> list[str]:
    """The parser that uvicorn has where nobody has installed another one."""
    return _uvicorn_with("h11", app, python, host, port, workers)


def _uvicorn_with(
    http: str, app: str, python: Path, host: str, port: int, workers: int
) -> list[str]:
    return [
        *(str(python), "-m", "uvicorn", app),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--loop", "uvloop", "--http", http, "--lifespan", "on"),
        *("--no-access-log", "--log-level", "warning", "--backlog", BACKLOG),
        *("--timeout-keep-alive", KEEP_ALIVE_S),
        # The master kills a worker that is silent for 5 s by default.
        *("--timeout-worker-healthcheck", NEVER_S),
    ]


def _gunicorn(app: str, python: Path, host: str, port: int, workers: int) -> list[str]:
    return [
        *(str(python), "-m", "gunicorn", app),
        *("--worker-class", "matrix_worker.PinnedWorker"),
        *("--bind", f"{host}:{port}", "--workers", str(workers)),
        *("--log-level", "warning", "--backlog", BACKLOG, "--keep-alive", KEEP_ALIVE_S),
        # 0: a worker that is silent is left alone (30 s by default).
        *("--timeout", "0", "--no-control-socket"),
    ]


def _gunicorn_asgi(app: str, python: Path, host: str, port: int, workers: int) -> list[str]:
    """The ASGI worker of gunicorn itself, with the parser that gunicorn[fast] brings."""
    return [
        *(str(python), "-m", "gunicorn", app),
        *("--worker-class", "asgi", "--asgi-loop", "uvloop", "--asgi-lifespan", "on"),
        *("--http-parser", "fast", "--bind", f"{host}:{port}", "--workers", str(workers)),
        *("--log-level", "warning", "--backlog", BACKLOG, "--keep-alive", KEEP_ALIVE_S),
        # It takes 1,000 connections a worker by default, and leaves the others to wait.
        *("--worker-connections", CONNECTIONS),
        *("--timeout", "0", "--no-control-socket"),
    ]


def _granian(app: str, python: Path, host: str, port: int, workers: int) -> list[str]:
    return [
        *(str(python), "-m", "granian", app, "--interface", "asgi"),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--loop", "uvloop", "--http", "1", "--no-ws"),
        *("--log-level", "warning", "--backlog", BACKLOG),
    ]


def _fastapi_run(app: str, python: Path, host: str, port: int, workers: int) -> list[str]:
    """FastAPI's own command line: uvicorn with its defaults, and its access log."""
    return [
        *(str(python), "-m", "fastapi", "run", "--entrypoint", app),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
    ]


def _hypercorn(app: str, python: Path, host: str, port: int, workers: int) -> list[str]:
    return [
        *(str(python), "-m", "hypercorn", app),
        *("--bind", f"{host}:{port}", "--workers", str(workers)),
        *("--worker-class", "uvloop", "--log-level", "warning"),
        *("--backlog", BACKLOG, "--keep-alive", KEEP_ALIVE_S, "--graceful-timeout", "0"),
    ]


SERVERS: Mapping[str, Server] = {
    "uvicorn": Server(_uvicorn, loop="uvloop.Loop", http="httptools"),
    "gunicorn": Server(_gunicorn, loop="uvloop.Loop", http="httptools"),
    "hypercorn": Server(_hypercorn, loop="uvloop.Loop", http="h11"),
    "uvicorn_h11": Server(_uvicorn_h11, loop="uvloop.Loop", http="h11"),
    "gunicorn_asgi": Server(
        _gunicorn_asgi, loop="uvloop.Loop", http="gunicorn_h1c", loads_late=True
    ),
    "granian": Server(_granian, loop="uvloop.Loop", http="hyper"),
    "fastapi_run": Server(_fastapi_run, loop="uvloop.Loop", http="httptools"),
}
