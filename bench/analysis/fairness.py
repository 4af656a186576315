"""How a server really ran: what its workers reported, and how its connections were set.

Servers are compared as their documentation recommends them for production, which is not alike in
all; whoever reads a comparison must see what differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.records.model import Audit, Measured

LOGGED = 1.0  # bytes for each request, from which on it writes something for each


@dataclass(frozen=True, slots=True)
class Fairness:
    """Over a row's trials; what no worker has told is None."""

    loop: str | None  # the event loop's class
    http: str | None  # the parser
    connections: int  # accepted ones that were looked at,
    nodelay: int  # and those of them with TCP_NODELAY
    backlog: int | None  # the smallest that the kernel gave a listening socket
    open_files: int | None  # the smallest limit of a worker
    log_bytes_per_request: float | None
    argv: tuple[str, ...]  # the command, of its last trial

    @property
    def logs(self) -> bool | None:
        """Whether it writes something for each request: an access log."""
        size = self.log_bytes_per_request
        return None if size is None else size >= LOGGED


def fairness(trials: Sequence[Measured]) -> Fairness | None:
    """Of the trials that a row is made of; None of none."""
    if not trials:
        return None
    audits = [one.process.audit for one in trials if one.process.audit is not None]
    last = trials[-1].process
    return Fairness(
        loop=last.loop,
        http=last.http,
        connections=sum(one.connections for one in audits),
        nodelay=sum(one.nodelay for one in audits),
        backlog=_least(one.backlog for one in audits),
        open_files=_least(one.open_files for one in audits),
        log_bytes_per_request=_logged(audits),
        argv=last.argv,
    )


def _least(values: Iterable[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)


def _logged(audits: Iterable[Audit]) -> float | None:
    sizes = [one.log_bytes_per_request for one in audits]
    known = [size for size in sizes if size is not None]
    return max(known, default=None)
