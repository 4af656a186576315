"""What held processes back, read from a made-up system's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.records.trial_files import Throttle
from bench.run.host.throttle import look

if TYPE_CHECKING:
    from pathlib import Path


def write(root: Path, path: str, text: str) -> None:
    """One file of the made-up system."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


def test_quota_of_cgroup_v2(tmp_path: Path) -> None:
    """Of our own group, in microseconds."""
    write(tmp_path, "proc/self/cgroup", "0::/machine/unit\n")
    stat = "usage_usec 7\nnr_throttled 3\nthrottled_usec 1500000\n"
    write(tmp_path, "sys/fs/cgroup/machine/unit/cpu.stat", stat)
    write(tmp_path, "sys/fs/cgroup/cpu.stat", "throttled_usec 9\n")
    assert look(tmp_path).quota_s == 1.5


def test_quota_as_a_container_sees_it(tmp_path: Path) -> None:
    """Its group is the root of what is mounted, whatever its name says."""
    write(tmp_path, "proc/self/cgroup", "0::/docker/abc\n")
    write(tmp_path, "sys/fs/cgroup/cpu.stat", "throttled_usec 250000\n")
    assert look(tmp_path).quota_s == 0.25


def test_quota_of_cgroup_v1(tmp_path: Path) -> None:
    """In nanoseconds; the group may be mounted under both controllers' names."""
    write(tmp_path, "proc/self/cgroup", "3:memory:/a\n2:cpu,cpuacct:/b\n0::/\n")
    write(tmp_path, "sys/fs/cgroup/cpu/b/cpu.stat", "nr_periods 5\nthrottled_time 2000000000\n")
    assert look(tmp_path).quota_s == 2.0


def test_heat_is_summed_over_cores(tmp_path: Path) -> None:
    """Cores and packages alike."""
    for cpu in (0, 11):
        folder = f"sys/devices/system/cpu/cpu{cpu}/thermal_throttle"
        write(tmp_path, f"{folder}/core_throttle_count", "2\n")
        write(tmp_path, f"{folder}/package_throttle_count", "1\n")
    assert look(tmp_path).heat == 6


def test_what_cannot_be_seen_is_unknown(tmp_path: Path) -> None:
    """Not zero: nobody has looked."""
    write(tmp_path, "proc/self/cgroup", "no such line\n")
    write(tmp_path, "sys/fs/cgroup/cpu.stat", "throttled_usec many\n")
    assert look(tmp_path) == Throttle(None, None)
