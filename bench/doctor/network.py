"""What connections take of the system: files, local ports, places in a server's backlog.

Sources: Documentation/networking/ip-sysctl.rst; /proc/net/sockstat, whose ``tw`` counts sockets
of closed connections that keep their port for another minute (TIME_WAIT).
"""

from __future__ import annotations

import re
import resource

from bench.doctor.check import Check, Fitness, own, root, unknown
from bench.run.host import machine
from bench.run.host.machine import read
from bench.text import shown

ENOUGH_USERS = 500
ENOUGH_PORTS = 20_000
BACKLOG = 2048  # that every server here asks for
WAITING_SHARE = 0.2  # of the ports


def looks() -> list[Check]:
    """All of the network."""
    ports = machine.local_ports()
    return [
        files(*resource.getrlimit(resource.RLIMIT_NOFILE)),
        local_ports(ports),
        time_wait(waiting(read("/proc/net/sockstat")), ports),
        backlog(read("/proc/sys/net/core/somaxconn")),
    ]


def files(soft: int, hard: int) -> Check:
    """The harness raises the soft limit by itself, as far as the hard one lets it."""
    if hard == resource.RLIM_INFINITY:
        return Check("open files", "no limit", Fitness.GOOD)
    users = max(0, (hard - machine.SPARE_FILES) // 2)
    found = f"{hard:,} ({soft:,} without asking): up to {users:,} users"
    if users >= ENOUGH_USERS:
        return Check("open files", found, Fitness.GOOD)
    needed = 2 * ENOUGH_USERS + machine.SPARE_FILES
    matters = "each user takes up to two files a process: more users are refused"
    return Check("open files", found, Fitness.POOR, matters, "raise it",
                 (root(f"ulimit -Hn {needed}"), own(f"ulimit -n {needed}")))  # fmt: skip


def local_ports(count: int | None) -> Check:
    """Those that the system hands out to connections."""
    if count is None:
        return unknown("local ports")
    if count >= ENOUGH_PORTS:
        return Check("local ports", f"{count:,}", Fitness.GOOD)
    return Check(
        "local ports",
        f"{count:,}",
        Fitness.POOR,
        "each connection takes one, and some io kinds make one a request",
        "widen their range",
        (root("sysctl -w 'net.ipv4.ip_local_port_range=1024 65535'"),),
    )


def waiting(sockstat: str | None) -> int | None:
    """Sockets in TIME_WAIT, of ``TCP: inuse 5 orphan 0 tw 1269 alloc 105 mem 0``."""
    found = re.search(r"^TCP:.* tw (\d+)\b", sockstat or "", re.MULTILINE)
    return None if found is None else int(found[1])


def time_wait(count: int | None, ports: int | None) -> Check:
    """Ports that nobody uses and nobody gets."""
    what = "ports in TIME_WAIT"
    if count is None:
        return unknown(what)
    if ports is None:
        return Check(what, f"{count:,} of unknown many", Fitness.UNKNOWN)
    found = f"{count:,} of {ports:,}"
    if count <= WAITING_SHARE * ports:
        return Check(what, found, Fitness.GOOD)
    return Check(
        what,
        found,
        Fitness.POOR,
        "connections fail when none is left",
        "wait a minute, or let new connections take them over",
        (root("sysctl -w net.ipv4.tcp_tw_reuse=1"),),
    )


def backlog(text: str | None) -> Check:
    """Connections that may wait for a server which is busy."""
    if text is None or not text.isdigit():
        return unknown("listen backlog")
    if int(text) >= BACKLOG:
        return Check("listen backlog", shown(text), Fitness.GOOD)
    return Check(
        "listen backlog",
        shown(text),
        Fitness.POOR,
        "a server that is blocked at the start has connections refused",
        "raise it",
        (root("sysctl -w net.core.somaxconn=4096"),),
    )
