"""How busy the CPUs are that a trial may use, whoever uses them.

Of the machine's CPUs only those count that the trial's processes may run on. Under a CPU quota
(a container on a larger host) what other containers use is nobody's business here: then only the
own control group's use counts, and of the server's own CPUs nothing is known.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from bench.records.trial_files import CpuUse
from bench.run.host import cgroup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = Path("/")
TRIAL: Final = "trial"  # the set of all CPUs that the trial may use
TICKS: Final = 100.0  # of /proc/stat a second: USER_HZ, the same on all of Linux


def look(
    sets: Mapping[str, Sequence[int]], *, quota_cores: float | None = None, root: Path = ROOT
) -> dict[str, CpuUse]:
    """CPU seconds since the start of the machine (of the group, under a quota).

    Args:
        sets: CPU numbers by the set's name; an empty one stands for all CPUs.
        quota_cores: cores that a quota leaves of those CPUs; None: all of them.
        root: stands for / in tests.

    Returns:
        By the set's name; without the sets of which a CPU can't be seen.
    """
    each = _each(root)
    found = {}
    for name, cpus in sets.items():
        chosen = [each.get(cpu) for cpu in cpus] or [*each.values()]
        known = [use for use in chosen if use is not None]
        if len(known) == len(chosen):
            busy_s, steal_s = (sum(column) for column in zip(*known, strict=True))
            found[name] = CpuUse(round(busy_s, 4), round(steal_s, 4))
    used_s = None if quota_cores is None else cgroup.used_s(root)
    if quota_cores is None or used_s is None or TRIAL not in found:
        return found
    share = min(1.0, quota_cores / (len(sets[TRIAL]) or len(each)))
    return {TRIAL: CpuUse(used_s, round(found[TRIAL].steal_s * share, 4))}


def _each(root: Path) -> dict[int, tuple[float, float]]:
    """Busy and stolen seconds of each CPU, by its number."""
    with contextlib.suppress(OSError):
        lines = (root / "proc/stat").read_text(encoding="utf-8").splitlines()
        fields = [line.split() for line in lines if line.startswith("cpu") and line[3].isdigit()]
        return {int(words[0][3:]): _seconds([int(word) for word in words[1:9]]) for words in fields}
    # No /proc: CPUs have no numbers there that a process could be kept to.
    times = psutil.cpu_times(percpu=True)
    return {number: (one.user + one.system, 0.0) for number, one in enumerate(times)}


def _seconds(ticks: list[int]) -> tuple[float, float]:
    """proc(5): user nice system idle iowait irq softirq steal; guest time is part of user's."""
    user, nice, system, _, _, irq, softirq, steal = ticks
    return (user + nice + system + irq + softirq) / TICKS, steal / TICKS
