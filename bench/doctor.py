"""Is this machine fit to measure, and what to change? Looks, says, changes nothing."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
from tabulate import tabulate

from bench.problem import Lacking
from bench.run import environments, host, lock
from go_delay import build

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.run.paths import Paths

LOOK_S = 1.0
FIT, UNFIT = 0, 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One look: what was found, and what to do if it is not good."""

    what: str
    found: str
    word: str  # good, poor (numbers get worse) or missing (nothing can run)
    advice: str = ""


def examine(paths: Paths) -> tuple[str, int]:
    """A table of findings, and the exit status: 3 if something needed is missing."""
    looks: tuple[Callable[[], Finding], ...] = (
        _cores,
        _quiet,
        _other_runs,
        _load,
        _quota,
        _governor,
        _files,
        _ports,
        _backlog,
        lambda: _disk(paths),
        lambda: _environments(paths),
        lambda: _go(paths),
    )
    findings = [look() for look in looks]
    table = tabulate(
        # Wrapped here: tabulate's own wrapping reads numbers, and fails on "28,231".
        [
            (f.word, f.what, textwrap.fill(f.found, 40), textwrap.fill(f.advice, 60))
            for f in findings
        ],
        headers=("", "what", "found", "what to do"),
        tablefmt="simple",
        disable_numparse=True,
    )
    missing = [f for f in findings if f.word == "missing"]
    poor = [f for f in findings if f.word == "poor"]
    closing = (
        f"{len(missing)} missing: nothing can be measured yet"
        if missing
        else f"fit to measure, with {len(poor)} reservation{'' if len(poor) == 1 else 's'}"
        if poor
        else "fit to measure"
    )
    return f"{table}\n\n{closing}", UNFIT if missing else FIT


def _cores() -> Finding:
    cores = host.describe().cores
    if cores >= 4:
        return Finding("cores", str(cores), "good")
    advice = "server, load generator and delay server share them: compare, don't quote"
    return Finding("cores", str(cores), "poor", advice)


def _quiet() -> Finding:
    """CPU that others use while nothing of ours runs."""
    times = psutil.cpu_times_percent(interval=LOOK_S)
    steal = float(getattr(times, "steal", 0.0))
    busy = 100.0 - times.idle - getattr(times, "iowait", 0.0) - steal
    found = f"{busy:.0f} % of the CPU in use, {steal:.0f} % stolen by the hypervisor"
    if busy + steal <= 5:
        return Finding("other programs", found, "good")
    return Finding("other programs", found, "poor", "close what else runs; trials turn suspect")


def _other_runs() -> Finding:
    try:
        run = lock.seen()
    except Lacking as problem:
        return Finding("other runs", "not to be told", "missing", str(problem))
    if run is None:
        return Finding("other runs", "none is measuring", "good")
    return Finding("other runs", run, "poor", "wait for it: a second one at a time is refused")


def _load() -> Finding:
    one = os.getloadavg()[0]
    cores = psutil.cpu_count() or 1
    if one < 0.3 * cores:
        return Finding("load average", f"{one:.2f}", "good")
    return Finding("load average", f"{one:.2f}", "poor", "wait until it has fallen")


def _quota() -> Finding:
    quota = host.describe().cgroup_quota
    if quota is None:
        return Finding("CPU quota", "none", "good")
    return Finding(
        "CPU quota", f"{quota:g} cores", "poor", "a container's quota stops processes in bursts"
    )


def _governor() -> Finding:
    governor = host.describe().governor
    if governor in {None, "performance"}:
        return Finding("CPU governor", governor or "not to be seen", "good")
    return Finding(
        "CPU governor", governor, "poor", "`cpupower frequency-set -g performance` steadies it"
    )


def _files() -> Finding:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        return Finding("open files", "no limit", "good")
    users = max(0, (hard - host.SPARE_FILES) // 2)
    word = "good" if users >= 500 else "poor"
    return Finding(
        "open files",
        f"{hard:,}: up to {users:,} users",
        word,
        "" if word == "good" else "raise it with `ulimit -Hn`",
    )


def _ports() -> Finding:
    count = host.local_ports()
    if count is None:
        return Finding("local ports", "not to be seen", "good")
    word = "good" if count >= 20_000 else "poor"
    return Finding(
        "local ports",
        f"{count:,}",
        word,
        "" if word == "good" else "widen net.ipv4.ip_local_port_range",
    )


def _backlog() -> Finding:
    text = host.read("/proc/sys/net/core/somaxconn")
    if text is None:
        return Finding("listen backlog", "not to be seen", "good")
    word = "good" if int(text) >= 2048 else "poor"
    return Finding(
        "listen backlog",
        text,
        word,
        "" if word == "good" else "net.core.somaxconn=4096 keeps connections from failing",
    )


def _disk(paths: Paths) -> Finding:
    free_gb = shutil.disk_usage(paths.root).free / 1e9
    word = "good" if free_gb >= 2 else "poor"
    return Finding(
        "free disk",
        f"{free_gb:.0f} GB",
        word,
        "" if word == "good" else "use `--raw drop`, or make room",
    )


def _environments(paths: Paths) -> Finding:
    notes = sorted(path.stem for path in paths.notes.glob("server-*.json"))
    usable = []
    for note in notes:
        role, _, python = note.rpartition("-")
        if environments.find(paths.notes, paths.root, role, python).python is not None:
            usable.append(note)
    load = environments.find(paths.notes, paths.root, "load").python
    if usable and load is not None:
        return Finding("environments", ", ".join(usable), "good")
    # Not missing: nox makes them before anything is measured.
    return Finding("environments", "not made yet", "good", "`nox -s matrix` makes them first")


def _go(paths: Paths) -> Finding:
    with contextlib.suppress(build.BuildError):
        go = build.find_go(paths.go)
        return Finding("Go toolchain", str(environments.go_version(go)), "good")
    return Finding("Go toolchain", "none yet", "good", "`nox -s matrix` installs one first")
