"""Is this machine fit to measure, and what to change? Looks, says, changes nothing."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import textwrap
from dataclasses import dataclass
from enum import Enum
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


class Fitness(Enum):
    """How fit something is for measuring."""

    GOOD = "good"
    POOR = "poor"  # numbers get worse
    MISSING = "missing"  # nothing can run


@dataclass(frozen=True, slots=True)
class Check:
    """One look: what was found, and what to do if it is not good."""

    what: str
    found: str
    fitness: Fitness
    advice: str = ""


def examine(paths: Paths) -> tuple[str, int]:
    """A table of checks, and the exit status: 3 if something needed is missing."""
    looks: tuple[Callable[[], Check], ...] = (
        _cores,
        _quiet,
        _other_runs,
        _load_average,
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
        [
            (f.fitness.value, f.what, textwrap.fill(f.found, 40), textwrap.fill(f.advice, 60))
            for f in checks
        ],
        headers=("", "what", "found", "what to do"),
        tablefmt="simple",
        disable_numparse=True,
    )
    missing = [f for f in checks if f.fitness is Fitness.MISSING]
    poor = [f for f in checks if f.fitness is Fitness.POOR]
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
        return Check("cores", str(cores), Fitness.GOOD)
    advice = "server, load generator and delay server share them: compare, don't quote"
    return Check("cores", str(cores), Fitness.POOR, advice)


def _quiet() -> Check:
    """CPU that others use while nothing of ours runs."""
    times = psutil.cpu_times_percent(interval=LOOK_S)
    steal = float(getattr(times, "steal", 0.0))
    busy = 100.0 - times.idle - getattr(times, "iowait", 0.0) - steal
    found = f"{busy:.0f} % of the CPU in use, {steal:.0f} % stolen by the hypervisor"
    if busy + steal <= 5:
        return Check("other programs", found, Fitness.GOOD)
    return Check("other programs", found, Fitness.POOR, "close what else runs; trials turn suspect")


def _other_runs() -> Check:
    try:
        run = lock.seen()
    except RequirementError as problem:
        return Check("other runs", "not to be told", Fitness.MISSING, str(problem))
    if run is None:
        return Check("other runs", "none is measuring", Fitness.GOOD)
    return Check("other runs", run, Fitness.POOR, "wait for it: a second one at a time is refused")


def _load_average() -> Check:
    one = os.getloadavg()[0]
    cores = psutil.cpu_count() or 1
    if one < 0.3 * cores:
        return Check("load average", f"{one:.2f}", Fitness.GOOD)
    return Check("load average", f"{one:.2f}", Fitness.POOR, "wait until it has fallen")


def _quota() -> Check:
    quota = machine.describe().cgroup_quota
    if quota is None:
        return Check("CPU quota", "none", Fitness.GOOD)
    return Check(
        "CPU quota",
        f"{quota:g} cores",
        Fitness.POOR,
        "a container's quota stops processes in bursts",
    )


def _governor() -> Check:
    governor = machine.describe().governor
    if governor in {None, "performance"}:
        return Check("CPU governor", governor or "not to be seen", Fitness.GOOD)
    return Check(
        "CPU governor",
        governor,
        Fitness.POOR,
        "`cpupower frequency-set -g performance` steadies it",
    )


def _files() -> Check:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        return Check("open files", "no limit", Fitness.GOOD)
    users = max(0, (hard - machine.SPARE_FILES) // 2)
    fitness = Fitness.GOOD if users >= 500 else Fitness.POOR
    return Check(
        "open files",
        f"{hard:,}: up to {users:,} users",
        fitness,
        "" if fitness is Fitness.GOOD else "raise it with `ulimit -Hn`",
    )


def _ports() -> Check:
    count = machine.local_ports()
    if count is None:
        return Check("local ports", "not to be seen", Fitness.GOOD)
    fitness = Fitness.GOOD if count >= 20_000 else Fitness.POOR
    return Check(
        "local ports",
        f"{count:,}",
        fitness,
        "" if fitness is Fitness.GOOD else "widen net.ipv4.ip_local_port_range",
    )


def _backlog() -> Check:
    text = machine.read("/proc/sys/net/core/somaxconn")
    if text is None:
        return Check("listen backlog", "not to be seen", Fitness.GOOD)
    fitness = Fitness.GOOD if int(text) >= 2048 else Fitness.POOR
    return Check(
        "listen backlog",
        text,
        fitness,
        "" if fitness is Fitness.GOOD else "net.core.somaxconn=4096 keeps connections from failing",
    )


def _disk(paths: Paths) -> Check:
    free_gb = shutil.disk_usage(paths.root).free / 1e9
    fitness = Fitness.GOOD if free_gb >= 2 else Fitness.POOR
    return Check(
        "free disk",
        f"{free_gb:.0f} GB",
        fitness,
        "" if fitness is Fitness.GOOD else "use `--raw drop`, or make room",
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
        return Check("environments", ", ".join(usable), Fitness.GOOD)
    # Not missing: nox makes them before anything is measured.
    return Check("environments", "not made yet", Fitness.GOOD, "`nox -s matrix` makes them first")


def _go(paths: Paths) -> Check:
    with contextlib.suppress(build.BuildError):
        go = build.find_go(paths.go)
        return Check("Go toolchain", str(environments.go_version(go)), Fitness.GOOD)
    return Check("Go toolchain", "none yet", Fitness.GOOD, "`nox -s matrix` installs one first")
