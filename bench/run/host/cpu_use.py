"""How busy the CPUs are that a trial may use, whoever uses them.

Of the machine's CPUs only those count that the trial's processes may run on. Under a CPU quota
(a container on a larger host) what other containers use is nobody's business here: then only the
own control group's use is counted (``usage_usec`` of cgroup v2, ``cpuacct.usage`` of v1).
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bench.records.trial_files import CpuUse
from bench.run.host.throttle import groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path("/")


def look(sets: Mapping[str, Sequence[int]], *, quota: bool, root: Path = ROOT) -> dict[str, CpuUse]:
    """CPU seconds of each set of CPU numbers; an empty set stands for all CPUs."""
    each = psutil.cpu_times(percpu=True)
    found = {}
    for name, cpus in sets.items():
        chosen = [each[cpu] for cpu in cpus if cpu < len(each)] or each
        found[name] = CpuUse(
            busy_s=round(sum(_busy_s(times) for times in chosen), 4),
            steal_s=round(sum(getattr(times, "steal", 0.0) for times in chosen), 4),
        )
    if quota and (used_s := _group_s(root)) is not None:
        found = {name: CpuUse(used_s, use.steal_s) for name, use in found.items()}
    return found


# guest time is already part of user time
COUNTED = ("user", "nice", "system", "irq", "softirq")


def _busy_s(times: object) -> float:
    return float(sum(getattr(times, name, 0.0) for name in COUNTED))


def _group_s(root: Path) -> float | None:
    for folder in groups(root, "cpu"):
        with contextlib.suppress(OSError, ValueError):
            lines = (folder / "cpu.stat").read_text(encoding="utf-8").splitlines()
            stat = dict(line.split() for line in lines)
            if "usage_usec" in stat:
                return int(stat["usage_usec"]) / 1e6
    for folder in groups(root, "cpuacct"):
        with contextlib.suppress(OSError, ValueError):
            return int((folder / "cpuacct.usage").read_text(encoding="utf-8")) / 1e9
    return None
