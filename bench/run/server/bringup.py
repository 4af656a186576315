"""From nothing to a server whose every worker has reported and whose port answers."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import psutil

from bench.run.failure import TrialFailed
from bench.run.server.commands import LOOPS, SERVERS, UVLOOP

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.plan import Cell
    from bench.run.process.children import Child

HOST = "127.0.0.1"
POLL_S = 0.01
PORT_TRIES = 3
WORKER_FILES = ("worker-*", "gauges-*.bin", "threads-*.bin", "audit-*")


class PortTaken(TrialFailed):
    """Another program took the port between its choice and the server's start."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is ready; ``reports`` are its workers' own words (``app.main``)."""

    child: Child
    port: int
    reports: tuple[dict[str, Any], ...]


def bring_up(
    start: Callable[[int], Child], cell: Cell, folder: Path, ready_s: float, host: str = HOST
) -> Running:
    """Start a cell's server on a free port of ``host`` and wait until it is ready.

    ``start`` takes the port. When the port turns out to be taken, another is tried.

    Raises:
        TrialFailed: it ended, was not ready in time, or is not what was asked for.
    """
    for _ in range(PORT_TRIES - 1):
        with contextlib.suppress(PortTaken):
            return _try(start, cell, folder, ready_s, host)
    return _try(start, cell, folder, ready_s, host)


def _try(
    start: Callable[[int], Child], cell: Cell, folder: Path, ready_s: float, host: str
) -> Running:
    # A try that failed may have come as far as leaving its workers' files.
    for left in (path for name in WORKER_FILES for path in folder.glob(name)):
        left.unlink()
    port = free_port(host)
    child = start(port)
    deadline = time.monotonic() + ready_s
    while time.monotonic() < deadline:
        if child.exit_code() is not None:
            _say_why_it_died(child)
        found = sorted(folder.glob("worker-*.json"))
        if len(found) >= cell.workers and _listens(child, host, port):
            reports = tuple(json.loads(path.read_text(encoding="utf-8")) for path in found)
            _check_pinned(cell, reports)
            return Running(child, port, reports)
        time.sleep(POLL_S)
    raise TrialFailed(f"{cell.server} was not ready after {ready_s:g} s: {_said(child)}")


def free_port(host: str = HOST) -> int:
    """A port that is free now; it may be taken by the time it is used."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _say_why_it_died(child: Child) -> None:
    tail = child.log_tail()
    if "address already in use" in tail.lower():
        raise PortTaken(f"{child.name} found its port taken {PORT_TRIES} times: {tail}")
    raise TrialFailed(
        f"{child.name} ended at its start with exit status {child.exit_code()}: {_said(child)}"
    )


def _said(child: Child) -> str:
    """The end of its log, and where all of it will be: a failed trial's files are kept, packed."""
    folder = child.log.parent
    return f"{child.log_tail()} (all of it: {folder.parent.name}/{folder.name}/{child.log.name}.gz)"


def _check_pinned(cell: Cell, reports: tuple[dict[str, Any], ...]) -> None:
    """The workers must run on the event loop and the parser that were asked for."""
    loop, http = LOOPS[dict(cell.settings).get("loop", UVLOOP)], SERVERS[cell.server].http
    for report in reports:
        late = SERVERS[cell.server].loads_late and report["http"] is None
        if report["loop"] != loop or not (late or report["http"] == http):
            raise TrialFailed(
                f"a worker runs on {report['loop']} and {report['http']},"
                f" pinned are {loop} and {http}"
            )


def _listens(child: Child, host: str, port: int) -> bool:
    """The port answers, and it is this server that does: another program may have taken it.

    Raises:
        TrialFailed: the server listens elsewhere than at ``host`` and on loopback.
    """
    try:
        with socket.create_connection((host, port), timeout=1):
            pass
    except OSError:
        return False
    with contextlib.suppress(psutil.Error):
        master = psutil.Process(child.pid)
        for process in (master, *master.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                sockets = [
                    found
                    for found in process.net_connections("tcp")
                    if found.status == psutil.CONN_LISTEN
                ]
                _demand_address(child.name, sockets, host)
                if any(found.laddr.port == port for found in sockets):
                    return True
    return False


def _demand_address(name: str, sockets: list[Any], host: str) -> None:
    """Load and servers are for this machine alone, or for the one address that was asked for."""
    for found in sockets:
        if found.laddr.ip != host and not ip_address(found.laddr.ip).is_loopback:
            whose = "this machine alone" if host == HOST else f"{host} alone, as asked for"
            raise TrialFailed(
                f"{name} listens on {found.laddr.ip}:{found.laddr.port}, which is not for {whose}"
            )
