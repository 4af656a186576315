"""The CPUs of this machine: who may run where."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from bench.errors import RequirementError
from bench.placement import Placement, numbers, place


def affinity(pid: int) -> list[int] | None:
    """The CPUs that a process may run on; None where the system doesn't say."""
    with contextlib.suppress(OSError, AttributeError):
        return sorted(os.sched_getaffinity(pid))
    return None


def placement(asked: str, cores: int, generators: int | None = None) -> Placement:
    """The placement on this machine, for so many processes of the load generator (``place``).

    Raises:
        BadInputError: see ``place``.
        RequirementError: CPUs were named, and this system can't keep a process on one.
    """
    if not hasattr(os, "sched_getaffinity"):
        found = place(asked, range(os.cpu_count() or 1), 1, ())
        if found.pinned:
            raise RequirementError(
                "--pin: this system can't keep a process on a core; leave it out"
            )
        return found
    cpus = sorted(os.sched_getaffinity(0))
    siblings = [_siblings(cpu) for cpu in cpus]
    return place(asked, cpus, cores, siblings, generators=generators)


def _siblings(cpu: int) -> tuple[int, ...]:
    """The threads of a CPU's core, as in ``0,4`` or ``0-1``; itself where it can't be seen."""
    path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    try:
        return numbers(path.read_text(encoding="utf-8").strip().replace(",", "+"))
    except (OSError, ValueError):
        return (cpu,)
