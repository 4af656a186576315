"""How each server is started: one function a server, everything pinned and stated.

All keep idle connections for 75 s and take a backlog of 2048, write no access
log, and never restart a worker because its event loop is blocked: a blocked
loop is a finding here. ``loop`` and ``http`` are what the workers must report
of themselves; another answer fails the trial.
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


@dataclass(frozen=True, slots=True)
class Server:
    """A server's command line, and what it must turn out to run on."""

    # application, python, host, port, workers
    command: Callable[[str, Path, str, int, int], list[str]]
    loop: str
    http: str


def _uvicorn(app: str, python: Path, host: str, port: int, workers: int) -> list[str]:
    return [
        *(str(python), "-m", "uvicorn", app),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--loop", "uvloop", "--http", "httptools", "--lifespan", "on"),
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
}
