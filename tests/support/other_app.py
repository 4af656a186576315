"""The application with one more io kind, made for a test."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bench.selfcheck.trials import Trials

HEAD = "WAITS, UPSTREAM_CALLS = False, 0\ndef expected():\n    return {'ok': True}\n"


def with_kind(bench: Trials, folder: Path, name: str, source: str) -> Trials:
    """Trials of a copy of the application, in an empty folder, that has ``app/io/<name>.py``."""
    root = bench.runner.lab.root
    for part in ("app", "locustfiles"):
        shutil.copytree(root / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "app" / "io" / f"{name}.py").write_text(source, encoding="utf-8")
    return bench.of(folder)


def kind(body: str, head: str = "") -> str:
    """An io kind that answers ``{"ok": True}`` unless its body does something else.

    Awaited, it waits 10 ms first: users who never wait keep the load generator so busy
    that on a slow day it is the limit, and the row says that instead.
    """
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return (
        f"{HEAD}{head}\ndef blocking():\n{lines}    return expected()\n"
        "import asyncio\nasync def awaiting():\n    await asyncio.sleep(0.01)\n"
        "    return blocking()\n"
    )
