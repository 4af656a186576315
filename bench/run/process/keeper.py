"""Outlives the harness by a moment, to end whatever the harness left behind.

A process of its own, started with nothing but the standard library. Children
write ``+PGID`` into its standard input before they start their program, the
harness writes ``-PGID`` when it has ended them. When the pipe closes, however
the harness ended, every group still listed is killed, and folders that were named
by a line ``/PATH`` are removed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time

QUIT_S = 2.0  # for those told to quit


def main() -> None:
    """Read until the pipe closes, then kill what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    quitting: set[int] = set()
    folders: list[str] = []
    for line in sys.stdin:
        if line.startswith("/"):
            folders.append(line.removesuffix("\n"))
        elif line.startswith("+"):
            groups.add(int(line[1:]))
        elif line.startswith("~"):
            quitting.add(int(line[1:]))
        else:
            groups.discard(int(line[1:]))
            quitting.discard(int(line[1:]))
    _quit(quitting)
    for group in groups | quitting:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _quit(groups: set[int]) -> None:
    """Tell their leaders, and wait for them to go."""
    there = set(groups)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(group, signal.SIGQUIT)
    deadline = time.monotonic() + QUIT_S
    while there and time.monotonic() < deadline:
        time.sleep(0.01)
        there = {group for group in there if _lives(group)}


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


if __name__ == "__main__":
    main()
