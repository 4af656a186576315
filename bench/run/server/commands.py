"""How each server is started: one function a server, everything pinned and stated.

All that can be told so keep idle connections for 75 s and take a backlog of 2048, write no access
log, and never restart a worker because its event loop is blocked: a blocked loop is a finding here.
`fastapi_run` is as most people start it: what it leaves at its defaults stays there. The loop
asked for and ``http`` are what the workers must report of themselves; another answer fails the
trial.
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
# The class that a worker on each loop must report.
UVLOOP, ASYNCIO = "uvloop", "asyncio"
LOOPS = {UVLOOP: "uvloop.Loop", ASYNCIO: "asyncio._UnixSelectorEventLoop"}
CONNECTIONS = "100000"  # as many as there may be users


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be started."""

    app: str  # module:name
    python: Path
    host: str
    port: int
    workers: int
    loop: str = UVLOOP


@dataclass(frozen=True, slots=True)
class Server:
    """A server's command line, and what it must turn out to run on."""

    command: Callable[[Asked], list[str]]
    http: str
    loops: tuple[str, ...] = (UVLOOP, ASYNCIO)  # that it can be told to run on
    loads_late: bool = False  # its parser with the first connection, so no worker tells it before


def _uvicorn(asked: Asked) -> list[str]:
    return _uvicorn_with("httptools", asked)


def _uvicorn_h11(asked: Asked) -> list[str]:
    """The parser that uvicorn has where nobody has installed another one."""
    return _uvicorn_with("h11", asked)


def _uvicorn_with(http: str, asked: Asked) -> list[str]:
    return [
        *(str(asked.python), "-m", "uvicorn", asked.app),
        *("--host", asked.host, "--port", str(asked.port), "--workers", str(asked.workers)),
        *("--loop", asked.loop, "--http", http, "--lifespan", "on"),
        *("--no-access-log", "--log-level", "warning", "--backlog", BACKLOG),
        *("--timeout-keep-alive", KEEP_ALIVE_S),
        # The master kills a worker that is silent for 5 s by default.
        *("--timeout-worker-healthcheck", NEVER_S),
    ]


def _gunicorn(asked: Asked) -> list[str]:
    worker = "matrix_worker.PinnedWorker" if asked.loop == UVLOOP else "matrix_worker.OnAsyncio"
    return [*_gunicorn_with(worker, asked)]


def _gunicorn_asgi(asked: Asked) -> list[str]:
    """The ASGI worker of gunicorn itself, with the parser that gunicorn[fast] brings."""
    return [
        *_gunicorn_with("asgi", asked),
        *("--asgi-loop", asked.loop, "--asgi-lifespan", "on", "--http-parser", "fast"),
        # It takes 1,000 connections a worker by default, and leaves the others to wait.
        *("--worker-connections", CONNECTIONS),
    ]


def _gunicorn_with(worker_class: str, asked: Asked) -> list[str]:
    return [
        *(str(asked.python), "-m", "gunicorn", asked.app),
        *("--worker-class", worker_class),
        *("--bind", f"{asked.host}:{asked.port}", "--workers", str(asked.workers)),
        *("--log-level", "warning", "--backlog", BACKLOG, "--keep-alive", KEEP_ALIVE_S),
        # 0: a worker that is silent is left alone (30 s by default).
        *("--timeout", "0", "--no-control-socket"),
    ]


def _granian(asked: Asked) -> list[str]:
    return [
        *(str(asked.python), "-m", "granian", asked.app, "--interface", "asgi"),
        *("--host", asked.host, "--port", str(asked.port), "--workers", str(asked.workers)),
        *("--loop", asked.loop, "--http", "1", "--no-ws"),
        *("--log-level", "warning", "--backlog", BACKLOG),
    ]


def _fastapi_run(asked: Asked) -> list[str]:
    """FastAPI's own command line: uvicorn with its defaults, and its access log."""
    return [
        *(str(asked.python), "-m", "fastapi", "run", "--entrypoint", asked.app),
        *("--host", asked.host, "--port", str(asked.port), "--workers", str(asked.workers)),
    ]


def _hypercorn(asked: Asked) -> list[str]:
    return [
        *(str(asked.python), "-m", "hypercorn", asked.app),
        *("--bind", f"{asked.host}:{asked.port}", "--workers", str(asked.workers)),
        *("--worker-class", asked.loop, "--log-level", "warning"),
        *("--backlog", BACKLOG, "--keep-alive", KEEP_ALIVE_S, "--graceful-timeout", "0"),
    ]


SERVERS: Mapping[str, Server] = {
    "uvicorn": Server(_uvicorn, http="httptools"),
    "gunicorn": Server(_gunicorn, http="httptools"),
    "hypercorn": Server(_hypercorn, http="h11"),
    "uvicorn_h11": Server(_uvicorn_h11, http="h11"),
    "gunicorn_asgi": Server(_gunicorn_asgi, http="gunicorn_h1c", loads_late=True),
    "granian": Server(_granian, http="hyper"),
    # It has no option for the loop, and takes uvloop as that is installed.
    "fastapi_run": Server(_fastapi_run, http="httptools", loops=(UVLOOP,)),
}
