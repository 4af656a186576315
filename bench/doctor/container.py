"""Whether this is a machine of its own: a container or a virtual machine shares its cores.

Sources: systemd's virt.c, which looks at the same places; Documentation/virt/kvm/x86/cpuid.rst.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from bench.doctor.check import Check, Fitness
from bench.run.host import machine
from bench.run.host.machine import read
from bench.text import shown

MARKS = {"/.dockerenv": "Docker", "/run/.containerenv": "Podman"}
PRODUCT = ("/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/product_name")


def looks() -> list[Check]:
    """What we are in, and its quota."""
    marks = [name for path, name in MARKS.items() if Path(path).exists()]
    inside = container(marks, read("/proc/1/cgroup"), os.environ.get("container"))  # noqa: SIM112 - systemd's own name
    product = " ".join(text for path in PRODUCT if (text := read(path)))
    virtual = virtual_machine(read("/proc/cpuinfo"), product, read("/proc/sys/kernel/osrelease"))
    return [where(inside, virtual), quota(machine.describe().cgroup_quota)]


def container(marks: list[str], cgroup: str | None, told: str | None) -> str | None:
    """Which kind of container; None where nothing speaks for one."""
    if marks:
        return marks[0]
    if told:
        return told
    found = re.search(r"docker|containerd|kubepods|libpod|lxc", cgroup or "")
    return None if found is None else found[0]


def virtual_machine(cpuinfo: str | None, product: str, release: str | None) -> str | None:
    """Which kind of virtual machine; empty if it is none, None if that can't be told."""
    if "microsoft" in (release or "").lower():
        return "WSL"
    if cpuinfo is None:
        return None
    if re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.MULTILINE):
        return product or "of unknown kind"
    if "flags" in cpuinfo:
        return ""
    # Other processors have no such flag, but many a virtual machine names itself.
    named = re.search(r"KVM|QEMU|VMware|VirtualBox|Xen|Virtual Machine", product)
    return None if named is None else named[0]


def where(inside: str | None, virtual: str | None) -> Check:
    """Container, virtual machine, both or neither."""
    what = "container or VM"
    parts = [f"container ({shown(inside)})"] if inside else []
    parts += [f"virtual machine ({shown(virtual)})"] if virtual else []
    if not parts and virtual is None:
        return Check(what, "unknown: this system doesn't tell", Fitness.UNKNOWN)
    if not parts:
        return Check(what, "neither", Fitness.GOOD)
    matters = "its cores may be shared with others: each trial watches for it, quote with care"
    return Check(what, " in a ".join(parts), Fitness.GOOD, matters)


def quota(cores: float | None) -> Check:
    """Of CPU time."""
    if cores is None:
        return Check("CPU quota", "none", Fitness.GOOD)
    matters = "it stops processes in bursts, which looks like a blocked loop"
    return Check("CPU quota", f"{cores:g} cores", Fitness.POOR, matters,
                 "run outside, or pin CPUs to the container instead")  # fmt: skip
