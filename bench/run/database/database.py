"""A database that answers: of ours, in a folder that goes with it; or a person's own."""

from __future__ import annotations

import shutil
import socket
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.run.database.kinds import TOLD
from bench.run.process.children import POLL_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.run.process.children import Child, Keeper

LONGEST = 100  # bytes of a Unix socket's path; the kernel takes 107 (unix(7), sun_path)
STOP_S = 3.0


class Unavailable(Exception):  # noqa: N818 - costs cells, not the run
    """There is none, with the reason; its cells are skipped."""


@dataclass(slots=True)
class Database:
    """One that can be asked. ``child`` is None of a person's own."""

    name: str
    address: str  # may hold a password
    version: str
    child: Child | None = None
    folder: Path | None = None

    @property
    def variables(self) -> dict[str, str]:
        """What the application is told."""
        return {TOLD[self.name]: self.address}

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be written down of a person's own: its address, and the password in it."""
        if self.child is not None:
            return ()
        password = urlsplit(self.address).password
        return (self.address,) if password is None else (self.address, password)

    def stop(self) -> None:
        """End it, if it is ours, and remove what it kept."""
        try:
            if self.child is not None:
                self.child.stop(STOP_S)
        finally:
            if self.folder is not None:
                shutil.rmtree(self.folder, ignore_errors=True)


def folder_for(name: str, keeper: Keeper) -> Path:
    """A new one for data and socket, which goes whatever ends the run.

    Raises:
        Unavailable: its path is too long for a socket in it.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"matrix-{name}-"))
    keeper.remove_at_end(folder)
    if len(str(folder)) > LONGEST - len("/.s.PGSQL.5432"):
        folder.rmdir()
        raise Unavailable(
            f"{folder} is too long for a Unix socket: set TMPDIR to a shorter folder, such as /tmp"
        )
    return folder


def await_socket(child: Child, path: Path, timeout_s: float, ready: Callable[[], bool]) -> None:
    """Wait for one that accepts connections.

    Raises:
        Unavailable: it ended, or wasn't ready in time; with what it said.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and child.exit_code() is None:
        if ready() and _accepts(path):
            return
        time.sleep(POLL_S)
    said = child.log_tail()
    how = "did not start in time" if child.exit_code() is None else "ended"
    child.stop(grace_s=0)
    raise Unavailable(f"{child.name} {how}. It said: {said or 'nothing'}")


def _accepts(path: Path) -> bool:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as found:
        found.connect(str(path))
        return True
    return False
