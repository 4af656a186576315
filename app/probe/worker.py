"""What a worker runs on."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import sys

PR_SET_PTRACER = 0x59616D61  # linux/prctl.h
ANY = ctypes.c_ulong(-1)
# A module that a worker has loaded only if it parses with it; the first that is found tells.
PROTOCOLS = {
    "uvicorn.protocols.http.httptools_impl": "httptools",
    "uvicorn.protocols.http.h11_impl": "h11",
    "hypercorn.protocol.h11": "h11",
    "gunicorn_h1c": "gunicorn_h1c",  # of gunicorn[fast]; loaded with its first connection
    "granian": "hyper",
}


def parser() -> str | None:
    """The HTTP parser that a server's own protocol modules have loaded; None: none of these."""
    return next((name for module, name in PROTOCOLS.items() if module in sys.modules), None)


def limit_threads() -> None:
    """Give anyio's pool as many threads as ``MATRIX_THREADS`` says, if it says so.

    Must be called within a task: the limiter belongs to the running loop.

    Raises:
        RuntimeError: the application has no anyio, and so no such pool.
    """
    count = os.environ.get("MATRIX_THREADS")
    if not count:
        return
    try:
        to_thread = importlib.import_module("anyio.to_thread")
    except ImportError:
        raise RuntimeError("no threads can be set: the application has no anyio") from None
    to_thread.current_default_thread_limiter().total_tokens = int(count)


def be_traced() -> None:
    """Let a profiler look into this process, if ``MATRIX_TRACED`` asks for it.

    Linux's Yama lets only a parent do so, and the profiler is a sibling (prctl(2),
    PR_SET_PTRACER). Where there is no Yama, or no Linux, this does nothing.
    """
    if os.environ.get("MATRIX_TRACED") == "1":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANY, 0, 0, 0)
