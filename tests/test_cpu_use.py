"""How busy the CPUs are that a trial may use: of this machine, and in a container with a quota."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from bench.run.host.cpu_use import look

if TYPE_CHECKING:
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
        before = look(sets, quota=False)
        burn(0.3)
        after = look(sets, quota=False)
    finally:
        os.sched_setaffinity(0, allowed)
    grown = {name: after[name].busy_s - before[name].busy_s for name in sets}
    assert grown["own"] >= 0.25
    assert grown["all"] >= grown["own"] - 0.05


def test_no_cpus_named_are_all() -> None:
    """A set of none stands for the whole machine."""
    every = look({"all": [], "each": range(psutil.cpu_count() or 1)}, quota=False)
    assert every["all"] == every["each"]


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
        ({"sys/fs/cgroup/cpuacct/cpuacct.usage": "3000000000\n"}, 3.0),
    ],
)
def test_under_a_quota_only_the_own_group_counts(
    tmp_path: Path, files: dict[str, str], busy_s: float
) -> None:
    """What other containers on the host use is not ours to know."""
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    assert look({"trial": []}, quota=True, root=tmp_path)["trial"].busy_s == busy_s


def test_where_the_group_cannot_be_read_the_cpus_count(tmp_path: Path) -> None:
    """As without a quota."""
    assert look({"trial": []}, quota=True, root=tmp_path)["trial"].busy_s > 1.0
