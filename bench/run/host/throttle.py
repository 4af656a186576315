"""Whether the machine held processes back: a container's CPU quota, or heat (Linux).

Sources: Documentation/admin-guide/cgroup-v2.rst (``cpu.stat``: ``throttled_usec``), cgroup-v1
``cpu.stat`` (``throttled_time``, ns), and ``thermal_throttle/*_throttle_count`` of each core.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from bench.records.trial_files import Throttle

ROOT = Path("/")


def look(root: Path = ROOT) -> Throttle:
    """The counters now. ``root`` stands for / in tests."""
    return Throttle(_quota_s(root), _heat(root))


def _quota_s(root: Path) -> float | None:
    for folder in groups(root, "cpu"):
        with contextlib.suppress(OSError, ValueError):
            lines = (folder / "cpu.stat").read_text(encoding="utf-8").splitlines()
            stat = dict(line.split() for line in lines)
            if "throttled_usec" in stat:
                return int(stat["throttled_usec"]) / 1e6
            if "throttled_time" in stat:
                return int(stat["throttled_time"]) / 1e9
    return None


def groups(root: Path, controller: str) -> list[Path]:
    """Where our own control group may be, as the kernel names it and as a container sees it."""
    mounted = root / "sys/fs/cgroup"
    found = []
    with contextlib.suppress(OSError, ValueError):
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        for line in lines:
            _, controllers, name = line.split(":", 2)
            if not controllers:
                found.append(mounted / name.lstrip("/"))
            elif controller in controllers.split(","):
                found.append(mounted / controller / name.lstrip("/"))
    return [*found, mounted, mounted / controller]


def _heat(root: Path) -> int | None:
    counts = []
    pattern = "sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count"
    for path in root.glob(pattern):
        with contextlib.suppress(OSError, ValueError):
            counts.append(int(path.read_text(encoding="utf-8")))
    return sum(counts) if counts else None
