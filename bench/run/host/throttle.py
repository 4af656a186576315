"""Whether the machine held processes back: a container's CPU quota, or heat (Linux).

Sources: Documentation/admin-guide/cgroup-v2.rst (``cpu.stat``: ``throttled_usec``), cgroup-v1
``cpu.stat`` (``throttled_time``, ns), and ``thermal_throttle/*_throttle_count`` of each core.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from bench.records.trial_files import Throttle
from bench.run.host import cgroup

ROOT = Path("/")


def look(root: Path = ROOT) -> Throttle:
    """The counters now. ``root`` stands for / in tests."""
    return Throttle(_quota_s(root), _heat(root))


def _quota_s(root: Path) -> float | None:
    for folder in cgroup.folders("cpu", root):
        if (stopped := cgroup.statistic(folder, "throttled_usec")) is not None:
            return stopped / 1e6
        if (stopped := cgroup.statistic(folder, "throttled_time")) is not None:
            return stopped / 1e9
    return None


def _heat(root: Path) -> int | None:
    counts = []
    pattern = "sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count"
    for path in root.glob(pattern):
        with contextlib.suppress(OSError, ValueError):
            counts.append(int(path.read_text(encoding="utf-8")))
    return sum(counts) if counts else None
