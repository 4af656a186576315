"""How a worker's connections are set, read from its own file descriptors.

What was asked for isn't always what a connection gets: uvicorn's workers on asyncio lose
TCP_NODELAY where they inherit a socket that doesn't say that it is TCP (Kludex/uvicorn#3149), and
the kernel cuts a backlog down to net.core.somaxconn.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import stat
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .worker import parser

if TYPE_CHECKING:
    from collections.abc import Iterator

DESCRIPTORS = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
MOST = 64  # connections that are looked at; they are all set alike, or they differ at once
TRIES = 100  # heartbeats after the first request
# Looks more, where connections lack TCP_NODELAY: a loop accepts all that wait and sets them only
# when it comes to each.
DOUBTS = 3
# Of a listening socket tcpi_sacked is the backlog that the kernel gave it (net/ipv4/tcp.c).
BACKLOG_AT, BACKLOG_END = 28, 32


class Audit:
    """Looks at the first heartbeat that finds a connection; again if what it finds may pass."""

    def __init__(self, target: Path) -> None:
        """What is found will be in ``target``, as JSON."""
        self._target = target
        self.left = TRIES
        self._doubts = DOUBTS

    def look(self) -> None:
        """Write what is found, and look no more; nothing yet if nobody is connected."""
        self.left -= 1
        # Whatever goes wrong, as a full disk does, the heart beats on.
        with contextlib.suppress(OSError):
            found = look()
            if found is not None and found["nodelay"] != found["connections"] and self._doubts:
                self._doubts -= 1
            elif found is not None:
                self.left = 0
                draft = self._target.with_suffix(".draft")
                draft.write_text(json.dumps(found), encoding="utf-8")
                draft.replace(self._target)


def look() -> dict[str, int | str | None] | None:
    """This process's accepted connections and listening sockets; None without a connection.

    ``connections`` of which ``nodelay`` have TCP_NODELAY, ``backlog`` the smallest of its listening
    sockets (None where the system doesn't tell), ``open_files`` its limit, ``http`` the parser: now
    that there is a connection it has been loaded.

    Raises:
        OSError: the system doesn't list the descriptors of a process.
    """
    backlogs: dict[int, int | None] = {}  # by port
    ends: list[tuple[int, bool]] = []  # port, and whether it has TCP_NODELAY
    for number in [int(path.name) for path in DESCRIPTORS.iterdir()]:
        # Any may be closed meanwhile, by another thread; and some are not connected.
        with contextlib.suppress(OSError), _tcp_socket(number) as one:
            if one is None:
                continue
            port = one.getsockname()[1]
            if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                backlogs[port] = _backlog(one)
            elif len(ends) < MOST and one.getpeername():
                ends.append((port, one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0))
    # The application's own connections to others come from ports that nobody listens at.
    accepted = [nodelay for port, nodelay in ends if port in backlogs]
    if not accepted:
        return None
    return {
        "connections": len(accepted),
        "nodelay": sum(accepted),
        "backlog": min((one for one in backlogs.values() if one is not None), default=None),
        "open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "http": parser(),
    }


@contextlib.contextmanager
def _tcp_socket(number: int) -> Iterator[socket.socket | None]:
    """A descriptor as a socket, through a copy of it; None if it is something else."""
    if not stat.S_ISSOCK(os.fstat(number).st_mode):
        yield None
        return
    with socket.socket(fileno=os.dup(number)) as one:
        inet = one.family in {socket.AF_INET, socket.AF_INET6}
        yield one if inet and one.type == socket.SOCK_STREAM else None


def _backlog(listening: socket.socket) -> int | None:
    if sys.platform != "linux":
        return None
    told = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BACKLOG_END)
    return int(struct.unpack_from("I", told, BACKLOG_AT)[0]) if len(told) >= BACKLOG_END else None
