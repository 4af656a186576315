"""What a server starts in place of an application of a person's own: that, with the probe around.

Its folder is put on their path, so this is the only name of ours that an application can meet: the
probe is loaded by its place, under a name of its own, and nothing is imported that the standard
library does not have. ``MATRIX_APP`` names the application, ``MATRIX_TRIAL_DIR`` where to record.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

PROBE = Path(__file__).resolve().parent.parent / "probe"
NAME = "matrix_probe"


def load_application() -> Any:
    """The ASGI callable that ``MATRIX_APP`` names, made by it if ``MATRIX_FACTORY`` is set."""
    module, _, name = os.environ["MATRIX_APP"].partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    made = found() if os.environ.get("MATRIX_FACTORY") == "1" else found
    if not callable(made):
        raise TypeError(f"{os.environ['MATRIX_APP']} is no ASGI application: {type(made).__name__}")
    return made


def load_probe() -> None:
    """Make the probe importable as ``matrix_probe``."""
    spec = importlib.util.spec_from_file_location(
        NAME, PROBE / "__init__.py", submodule_search_locations=[str(PROBE)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no probe at {PROBE}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)


def with_lifespan(application: Any) -> Any:
    """The application; one that knows no lifespan gets an empty one.

    It knows none if it ends, however, before it asks what it is to do. One that has asked and then
    fails has failed to start.
    """

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await application(scope, receive, send)
            return
        asked = False

        async def receiving() -> Any:
            nonlocal asked
            asked = True
            return await receive()

        try:
            await application(scope, receiving, send)
        except Exception:
            if asked:
                raise
        if not asked:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})

    return wrapped


def about() -> dict[str, object]:
    """What this worker really is."""
    loop = type(asyncio.get_running_loop())
    worker: Any = importlib.import_module(f"{NAME}.worker")
    return {
        "pid": os.getpid(),
        "python": platform.python_version(),
        "loop": f"{loop.__module__.partition('.')[0]}.{loop.__name__}",
        "http": worker.parser(),
        "routes": [],
    }


def make() -> Any:
    """The application, counted and sampled from outside its code."""
    folder = Path(os.environ["MATRIX_TRIAL_DIR"])
    application = with_lifespan(load_application())
    load_probe()
    asgi: Any = importlib.import_module(f"{NAME}.asgi")
    gauges = log = None
    if os.environ.get("MATRIX_PROBE", "1") == "1":
        log_class = importlib.import_module(f"{NAME}.thread_log").ThreadLog
        page_class = importlib.import_module(f"{NAME}.gauges").Gauges
        log = log_class(folder / f"threads-{os.getpid()}.bin")
        gauges = page_class(folder / f"gauges-{os.getpid()}.bin")

    def announce() -> None:
        worker: Any = importlib.import_module(f"{NAME}.worker")
        worker.limit_threads()
        if gauges is not None:
            gauges.start(log)
        worker.be_traced()
        target = folder / f"worker-{os.getpid()}.json"
        draft = target.with_suffix(".draft")
        draft.write_text(json.dumps(about()), encoding="utf-8")
        draft.replace(target)

    return asgi.watched(application, announce, gauges, works_on=True)


app = make()
