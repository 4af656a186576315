"""Whether the machine held processes back: a container's CPU quota, or heat (Linux).

Sources: Documentation/admin-guide/cgroup-v2.rst (``cpu.stat``: ``throttled_usec``), cgroup-v1
``cpu.stat`` (``throttled_time``, ns), and ``thermal_throttle/*_throttle_count`` of each core.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")


@dataclass(frozen=True, slots=True)
class Throttle:
    """Counters since the machine or the container started; None where there is none to read."""

    quota_s: float | None
    heat: int | None  # how often a core was slowed down


def look(root: Path = ROOT) -> Throttle:
    """The counters now. ``root`` stands for / in tests."""
    return Throttle(_quota_s(root), _heat(root))


def _quota_s(root: Path) -> float | None:
    for folder, key, per_s in _cgroups(root):
        with contextlib.suppress(OSError, ValueError):
            lines = (folder / "cpu.stat").read_text(encoding="utf-8").splitlines()
            stat = dict(line.split() for line in lines)
            if key in stat:
                return int(stat[key]) / per_s
    return None


def _cgroups(root: Path) -> list[tuple[Path, str, float]]:
    """Where our own group may be, as the kernel names it and as a container sees it."""
    mounted = root / "sys/fs/cgroup"
    found = []
    with contextlib.suppress(OSError, ValueError):
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        for line in lines:
            _, controllers, name = line.split(":", 2)
            if not controllers:
                found.append((mounted / name.lstrip("/"), "throttled_usec", 1e6))
            elif "cpu" in controllers.split(","):
                found.append((mounted / "cpu" / name.lstrip("/"), "throttled_time", 1e9))
    return [*found, (mounted, "throttled_usec", 1e6), (mounted / "cpu", "throttled_time", 1e9)]


def _heat(root: Path) -> int | None:
    counts = []
    pattern = "sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count"
    for path in root.glob(pattern):
        with contextlib.suppress(OSError, ValueError):
            counts.append(int(path.read_text(encoding="utf-8")))
    return sum(counts) if counts else None
