"""How each server really ran, a line a server and worker count: so that a comparison is fair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.text import NONE, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.analysis.fairness import Fairness

HEADINGS = (
    "server",
    "event loop",
    "parser",
    "TCP_NODELAY",
    "access log",
    "backlog",
    "open files",
    "requests of a worker",
)


@dataclass(frozen=True, slots=True)
class Ran:
    """One cell's server."""

    server: str
    workers: int
    python: str
    fairness: Fairness
    shares: Sequence[float]  # of the requests, the busiest worker's first
    loop: str | None = None  # as asked for, where it varies


def grid(ran: Sequence[Ran]) -> list[list[str]]:
    """A line for each server and worker count, as `HEADINGS`; plain text."""
    groups: dict[tuple[str, int, str, str | None], list[Ran]] = {}
    for one in ran:
        groups.setdefault((one.server, one.workers, one.python, one.loop), []).append(one)
    names_python = len({one.python for one in ran}) > 1
    return [_line(group, names_python=names_python) for group in groups.values()]


def told(found: Fairness) -> str:
    """One row's in words, for where it stands alone."""
    logs = _logs([found])
    return (
        f"{found.loop or 'unknown'}, {found.http or 'unknown'} (event loop, parser);"
        f" TCP_NODELAY {_nodelay([found])}; access log {logs};"
        f" backlog {_least([found.backlog])}; {_least([found.open_files])} open files at most"
    )


def _line(group: Sequence[Ran], *, names_python: bool) -> list[str]:
    first = group[0]
    found = [one.fairness for one in group]
    count = "1 worker" if first.workers == 1 else f"{first.workers} workers"
    return [
        f"{first.server}, {count}{f', Python {first.python}' if names_python else ''}",
        _all(one.loop for one in found),
        _all(one.http for one in found),
        _nodelay(found),
        _logs(found),
        _least(one.backlog for one in found),
        _least(one.open_files for one in found),
        _shares(group),
    ]


def _least(values: Iterable[int | None]) -> str:
    """In all its digits."""
    known = [value for value in values if value is not None]
    return f"{min(known):,}" if known else NONE


def _all(values: Iterable[str | None]) -> str:
    return ", ".join(dict.fromkeys(value for value in values if value is not None)) or NONE


def _nodelay(found: Sequence[Fairness]) -> str:
    seen = sum(one.connections for one in found)
    on = sum(one.nodelay for one in found)
    if not seen:
        return NONE
    return "on" if on == seen else "off" if not on else f"on {on} of {seen} connections"


def _logs(found: Sequence[Fairness]) -> str:
    sizes = [one.log_bytes_per_request for one in found if one.log_bytes_per_request is not None]
    if not sizes:
        return NONE
    return f"{number(max(sizes))} B a request" if any(one.logs for one in found) else "none"


def _shares(group: Sequence[Ran]) -> str:
    """Of the cell whose workers share worst."""
    shares = [one.shares for one in group if len(one.shares) > 1]
    if not shares:
        return NONE
    worst = max(shares, key=lambda one: one[0])
    return f"{worst[-1]:.0%} to {worst[0]:.0%}"
