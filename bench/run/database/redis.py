"""A Redis of ours, of the program that this machine has: on a Unix socket, for one run."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from bench.run.database.database import Database, Unavailable, await_socket, folder_for
from bench.run.process import children

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.run.process.children import Keeper

START_S, ASK_S = 10.0, 10.0
PROGRAMS = ("redis-server", "valkey-server")


def start(keeper: Keeper, log: Path, cpus: Sequence[int]) -> Database:
    """Start the first program found on PATH.

    Raises:
        Unavailable: there is none, or it can't be started, with the reason.
    """
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        raise Unavailable(
            "no Redis: there is neither redis-server nor valkey-server on PATH. Install one, or"
            " give the address of yours: MATRIX_REDIS=redis://localhost"
        )
    folder = folder_for("redis", keeper)
    path = folder / "socket"
    try:
        child = children.start(
            "Redis",
            # Nothing on a port, nothing on disk.
            [program, "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no",
             "--dir", folder],
            keeper=keeper,
            cwd=folder,
            env=children.child_environment(),
            log=log,
            cpus=cpus,
        )  # fmt: skip
        await_socket(child, path, START_S, path.exists)
    except OSError as problem:
        raise Unavailable(f"Redis can't be started: {problem}") from problem
    return Database("redis", f"unix://{path}", _version(Path(program)), child, folder)


def _version(program: Path) -> str:
    """``redis-server 7.0.15``."""
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=ASK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return program.name
    found = re.search(r"v=(\S+)", done.stdout)
    return f"{program.name} {found[1]}" if found else program.name
