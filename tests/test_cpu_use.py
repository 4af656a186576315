"""How busy the CPUs are that a trial may use: of this machine, and in a container with a quota."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from bench.records.trial_files import CpuUse
from bench.run.host import cgroup
from bench.run.host.cpu_use import look

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def burn(seconds: float) -> None:
    """Use one core."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_only_the_cpus_named_count() -> None:
    """Kept to one CPU, what we use is busy time of that one, and of all together."""
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system keeps no process on a CPU")
    allowed = os.sched_getaffinity(0)
    cpu = max(allowed)
    sets = {"own": [cpu], "all": []}
    try:
        os.sched_setaffinity(0, {cpu})
        before = look(sets)
        burn(0.3)
        after = look(sets)
    finally:
        os.sched_setaffinity(0, allowed)
    grown = {name: after[name].busy_s - before[name].busy_s for name in sets}
    assert grown["own"] >= 0.25
    assert grown["all"] >= grown["own"] - 0.05


# Four CPUs are online, and not the first four: 1.00, 2.00, 3.00 and 4.00 s busy each.
STAT = """cpu  1000 0 0 9000 0 0 0 40 0 0
cpu0 50 20 10 900 0 10 10 4 7 7
cpu2 100 40 20 900 0 20 20 8 0 0
cpu4 150 60 30 900 0 30 30 12 0 0
cpu6 200 80 40 900 0 40 40 16 0 0
intr 12345
"""


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A made-up machine."""
    return made(tmp_path, {"proc/stat": STAT})


def made(root: Path, files: Mapping[str, str]) -> Path:
    """Files of the system below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return root


def test_cpus_go_by_their_numbers(system: Path) -> None:
    """Not by their places in the list; none named are all."""
    found = look({"trial": [], "server": [2, 6]}, root=system)
    assert found == {"trial": CpuUse(10.0, 0.4), "server": CpuUse(6.0, 0.24)}


def test_a_set_with_a_cpu_that_cannot_be_seen_is_unknown(system: Path) -> None:
    """It is not passed off as the part that can."""
    assert look({"trial": [0], "server": [2, 3]}, root=system) == {"trial": CpuUse(1.0, 0.04)}


@pytest.mark.parametrize(
    ("files", "busy_s"),
    [
        ({"sys/fs/cgroup/cpu.stat": "usage_usec 1500000\nuser_usec 1\n"}, 1.5),
        (
            {
                "proc/self/cgroup": "0::/docker/abc\n",
                "sys/fs/cgroup/docker/abc/cpu.stat": "usage_usec 250000\n",
            },
            0.25,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/docker/abc\n",
                "sys/fs/cgroup/cpuacct/docker/abc/cpuacct.usage": "3000000000\n",
            },
            3.0,
        ),
    ],
)
def test_under_a_quota_only_the_own_group_counts(
    system: Path, files: dict[str, str], busy_s: float
) -> None:
    """What others on the host use is not ours to know, nor what is used of single CPUs.

    Of what the hypervisor took, a group of half of the CPUs has half.
    """
    sets = {"trial": [], "server": [2]}
    found = look(sets, quota_cores=2.0, root=made(system, files))
    assert found == {"trial": CpuUse(busy_s, 0.2)}


def test_where_the_group_cannot_be_read_the_cpus_count(system: Path) -> None:
    """As without a quota."""
    assert look({"trial": [0]}, quota_cores=1.0, root=system) == {"trial": CpuUse(1.0, 0.04)}


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, None),
        ({"sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        (
            {
                "proc/self/cgroup": "0::/a.slice/b.service\n",
                "sys/fs/cgroup/a.slice/cpu.max": "200000 100000\n",
                "sys/fs/cgroup/a.slice/b.service/cpu.max": "400000 100000\n",
            },
            2.0,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/docker/abc\n",
                "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            0.5,
        ),
    ],
)
def test_the_smallest_quota_above_us_counts(
    tmp_path: Path, files: dict[str, str], cores: float | None
) -> None:
    """Of our own control group and of those above it, in both versions of them."""
    assert cgroup.quota_cores(made(tmp_path, files)) == cores
