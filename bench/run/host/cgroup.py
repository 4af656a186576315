"""The control group that we run in (Linux): its CPU quota, and what it has used.

Sources: Documentation/admin-guide/cgroup-v2.rst (``cpu.max``, ``cpu.stat``), and of cgroup v1
``cpu.cfs_quota_us``, ``cpu.cfs_period_us``, ``cpu.stat`` and ``cpuacct.usage``.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path("/")


def folders(controller: str, root: Path = ROOT) -> list[Path]:
    """Where our own group may be, as the kernel names it and as a container sees it; then those
    above it. ``root`` stands for / in tests.
    """
    mounted = root / "sys/fs/cgroup"
    found: list[Path] = []
    for line in (_text(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, name = [*line.split(":", 2), "", ""][:3]
        top = mounted if not controllers else mounted / controller
        if not controllers or controller in controllers.split(","):
            found += _up_to(top / name.strip("/"), top)
    return list(dict.fromkeys([*found, mounted, mounted / controller]))


def quota_cores(root: Path = ROOT) -> float | None:
    """Cores that the group and those above it allow; None if none sets a limit."""
    found = [cores for folder in folders("cpu", root) if (cores := _quota(folder)) is not None]
    return min(found, default=None)


def used_s(root: Path = ROOT) -> float | None:
    """CPU seconds that the group has used; None where that can't be read."""
    for folder in folders("cpu", root):
        if (used := statistic(folder, "usage_usec")) is not None:
            return used / 1e6
    for folder in folders("cpuacct", root):
        with contextlib.suppress(ValueError):
            return int(_text(folder / "cpuacct.usage") or "") / 1e9
    return None


def statistic(folder: Path, name: str) -> int | None:
    """A counter of the group's ``cpu.stat``."""
    for line in (_text(folder / "cpu.stat") or "").splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            with contextlib.suppress(ValueError):
                return int(value)
    return None


def _quota(folder: Path) -> float | None:
    texts = (_text(folder / "cpu.max") or "").split() or [
        _text(folder / "cpu.cfs_quota_us") or "",
        _text(folder / "cpu.cfs_period_us") or "",
    ]
    with contextlib.suppress(ValueError):
        allowed, period = map(int, texts)  # "max" is no number, and -1 no limit
        return allowed / period if allowed > 0 and period > 0 else None
    return None


def _up_to(folder: Path, top: Path) -> Iterator[Path]:
    while folder != top:
        yield folder
        folder = folder.parent
    yield top


def _text(path: Path) -> str | None:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8").strip()
    return None
