"""What the numbers were measured on, and whether it can bear the load asked for."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import resource
import subprocess
from pathlib import Path
from typing import Any

import psutil

from bench.errors import RequirementError
from bench.records.model import Host
from bench.run.host import cgroup

# Beside its connections each process needs files of its own.
SPARE_FILES = 200


def describe() -> Host:
    """CPU, memory, system: only facts of the machine, no names of people or hosts."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    quota = cgroup.quota_cores()
    cores = affinity or psutil.cpu_count() or 1
    return Host(
        cpu=_cpu_model(),
        cores=cores if quota is None else max(1, min(cores, int(quota))),
        cores_of_machine=psutil.cpu_count(),
        affinity=affinity,
        cgroup_quota=quota,
        memory_gb=round(psutil.virtual_memory().total / 1e9, 1),
        system=platform.system(),
        kernel=platform.release(),
        os=_os_name(),
        architecture=platform.machine(),
        governor=read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        load_before=tuple(round(value, 2) for value in os.getloadavg()),
        open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    )


def demand_ports(users: int, ports: int | None) -> None:
    """Each user's connection takes a local port; ``ports``: how many there are, None if unknown.

    Raises:
        RequirementError: there are fewer than users.
    """
    if ports is not None and users > ports - SPARE_FILES:
        raise RequirementError(
            f"{users} users need as many local ports, this system hands out {ports}: widen"
            " net.ipv4.ip_local_port_range (as root: `sysctl -w"
            f" 'net.ipv4.ip_local_port_range=1024 65535'`), or ask for at most"
            f" {max(0, ports - SPARE_FILES)} users (`--users`)"
        )


def local_ports() -> int | None:
    """How many ports the system hands out to connections (Linux)."""
    text = read("/proc/sys/net/ipv4/ip_local_port_range")
    if text is None:
        return None
    low, high = map(int, text.split())
    return high - low + 1


def demand_open_files(users: int) -> None:
    """Raise the limit of open files as far as needed.

    Raises:
        RequirementError: the system doesn't allow as many as ``users`` connections need.
    """
    needed = users * 2 + SPARE_FILES  # the app may hold one upstream for each
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise RequirementError(
            f"{users} users need {needed} open files a process, this system allows {hard}:"
            f" raise it (`ulimit -Hn {needed}` as root, or /etc/security/limits.conf), or ask"
            f" for at most {(hard - SPARE_FILES) // 2} users (`--users`)"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def git_state(root: Path) -> dict[str, Any]:
    """Commit and whether tracked files differ from it; empty outside a checkout."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {}
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": bool(changed)}


def tree_hash(root: Path, *folders: str) -> str:
    """Of all source files in some folders: the application and the users as they are run."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(root)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _git(root: Path, *arguments: str) -> str | None:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],  # noqa: S607 - git is found on PATH
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout.strip()
    return None


def _cpu_model() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _os_name() -> str:
    with contextlib.suppress(OSError):
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    return platform.platform(terse=True)


def read(path: str) -> str | None:
    """A small file of the system, None if it can not be read."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return Path(path).read_text(encoding="utf-8").strip()
    return None


def limiting_quota(host: Host) -> float | None:
    """The CPU quota, where it leaves less than the CPUs that we may run on."""
    cpus = host.affinity or host.cores_of_machine
    quota = host.cgroup_quota
    return quota if quota is not None and cpus is not None and quota < cpus else None
