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

from bench.errors import RequirementError
from bench.run.host import environments, machine
from bench.run.process import lock
from go_delay import build

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.paths import Paths

LOOK_S = 1.0
FIT, UNFIT = 0, 3


@dataclass(frozen=True, slots=True)
class Check:
    """One look: what was found, and what to do if it is not good."""

    what: str
    found: str
    word: str  # good, poor (numbers get worse) or missing (nothing can run)
    advice: str = ""


def examine(paths: Paths) -> tuple[str, int]:
    """A table of checks, and the exit status: 3 if something needed is missing."""
    looks: tuple[Callable[[], Check], ...] = (
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
    checks = [look() for look in looks]
    table = tabulate(
        # Wrapped here: tabulate's own wrapping reads numbers, and fails on "28,231".
        [(f.word, f.what, textwrap.fill(f.found, 40), textwrap.fill(f.advice, 60)) for f in checks],
        headers=("", "what", "found", "what to do"),
        tablefmt="simple",
        disable_numparse=True,
    )
    missing = [f for f in checks if f.word == "missing"]
    poor = [f for f in checks if f.word == "poor"]
    closing = (
        f"{len(missing)} missing: nothing can be measured yet"
        if missing
        else f"fit to measure, with {len(poor)} reservation{'' if len(poor) == 1 else 's'}"
        if poor
        else "fit to measure"
    )
    return f"{table}\n\n{closing}", UNFIT if missing else FIT


def _cores() -> Check:
    cores = machine.describe().cores
    if cores >= 4:
        return Check("cores", str(cores), "good")
    advice = "server, load generator and delay server share them: compare, don't quote"
    return Check("cores", str(cores), "poor", advice)


def _quiet() -> Check:
    """CPU that others use while nothing of ours runs."""
    times = psutil.cpu_times_percent(interval=LOOK_S)
    steal = float(getattr(times, "steal", 0.0))
    busy = 100.0 - times.idle - getattr(times, "iowait", 0.0) - steal
    found = f"{busy:.0f} % of the CPU in use, {steal:.0f} % stolen by the hypervisor"
    if busy + steal <= 5:
        return Check("other programs", found, "good")
    return Check("other programs", found, "poor", "close what else runs; trials turn suspect")


def _other_runs() -> Check:
    try:
        run = lock.seen()
    except RequirementError as problem:
        return Check("other runs", "not to be told", "missing", str(problem))
    if run is None:
        return Check("other runs", "none is measuring", "good")
    return Check("other runs", run, "poor", "wait for it: a second one at a time is refused")


def _load() -> Check:
    one = os.getloadavg()[0]
    cores = psutil.cpu_count() or 1
    if one < 0.3 * cores:
        return Check("load average", f"{one:.2f}", "good")
    return Check("load average", f"{one:.2f}", "poor", "wait until it has fallen")


def _quota() -> Check:
    quota = machine.describe().cgroup_quota
    if quota is None:
        return Check("CPU quota", "none", "good")
    return Check(
        "CPU quota", f"{quota:g} cores", "poor", "a container's quota stops processes in bursts"
    )


def _governor() -> Check:
    governor = machine.describe().governor
    if governor in {None, "performance"}:
        return Check("CPU governor", governor or "not to be seen", "good")
    return Check(
        "CPU governor", governor, "poor", "`cpupower frequency-set -g performance` steadies it"
    )


def _files() -> Check:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        return Check("open files", "no limit", "good")
    users = max(0, (hard - machine.SPARE_FILES) // 2)
    word = "good" if users >= 500 else "poor"
    return Check(
        "open files",
        f"{hard:,}: up to {users:,} users",
        word,
        "" if word == "good" else "raise it with `ulimit -Hn`",
    )


def _ports() -> Check:
    count = machine.local_ports()
    if count is None:
        return Check("local ports", "not to be seen", "good")
    word = "good" if count >= 20_000 else "poor"
    return Check(
        "local ports",
        f"{count:,}",
        word,
        "" if word == "good" else "widen net.ipv4.ip_local_port_range",
    )


def _backlog() -> Check:
    text = machine.read("/proc/sys/net/core/somaxconn")
    if text is None:
        return Check("listen backlog", "not to be seen", "good")
    word = "good" if int(text) >= 2048 else "poor"
    return Check(
        "listen backlog",
        text,
        word,
        "" if word == "good" else "net.core.somaxconn=4096 keeps connections from failing",
    )


def _disk(paths: Paths) -> Check:
    free_gb = shutil.disk_usage(paths.root).free / 1e9
    word = "good" if free_gb >= 2 else "poor"
    return Check(
        "free disk",
        f"{free_gb:.0f} GB",
        word,
        "" if word == "good" else "use `--raw drop`, or make room",
    )


def _environments(paths: Paths) -> Check:
    notes = sorted(path.stem for path in paths.notes.glob("server-*.json"))
    usable = []
    for note in notes:
        role, _, python = note.rpartition("-")
        if environments.find(paths.notes, paths.root, role, python).python is not None:
            usable.append(note)
    load = environments.find(paths.notes, paths.root, "load").python
    if usable and load is not None:
        return Check("environments", ", ".join(usable), "good")
    # Not missing: nox makes them before anything is measured.
    return Check("environments", "not made yet", "good", "`nox -s matrix` makes them first")


def _go(paths: Paths) -> Check:
    with contextlib.suppress(build.BuildError):
        go = build.find_go(paths.go)
        return Check("Go toolchain", str(environments.go_version(go)), "good")
    return Check("Go toolchain", "none yet", "good", "`nox -s matrix` installs one first")
