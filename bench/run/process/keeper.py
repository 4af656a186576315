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


def main() -> None:
    """Read until the pipe closes, then kill what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    folders: list[str] = []
    for line in sys.stdin:
        if line.startswith("/"):
            folders.append(line.removesuffix("\n"))
        elif line.startswith("+"):
            groups.add(int(line[1:]))
        else:
            groups.discard(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
