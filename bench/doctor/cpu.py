"""The processor: how many cores, and what makes their speed depend on who else is busy."""

from __future__ import annotations

import os

import psutil

from bench.doctor.check import Check, Fitness, root, unknown
from bench.placement import FEWEST as FEWEST_CORES
from bench.run.host import machine
from bench.run.host.machine import read
from bench.text import shown

NO_TURBO = "/sys/devices/system/cpu/intel_pstate/no_turbo"
BOOST = "/sys/devices/system/cpu/cpufreq/boost"
SMT = "/sys/devices/system/cpu/smt"
BUSY_SHARE = 0.3  # of the cores, by the load average


def looks() -> list[Check]:
    """All of the processor."""
    host = machine.describe()
    return [
        cores(host.cores),
        load_average(os.getloadavg()[0], psutil.cpu_count() or 1),
        governor(host.governor),
        turbo(read(NO_TURBO), read(BOOST)),
        smt(read(f"{SMT}/active"), host.cores),
    ]


def cores(count: int) -> Check:
    """Those that may be used."""
    if count >= FEWEST_CORES:
        return Check("cores", str(count), Fitness.GOOD)
    matters = "server, load generator and delay server share them"
    return Check("cores", str(count), Fitness.POOR, matters, "compare, don't quote")


def load_average(one: float, count: int) -> Check:
    """Of the last minute."""
    if one < BUSY_SHARE * count:
        return Check("load average", f"{one:.2f}", Fitness.GOOD)
    matters = "something was busy a moment ago"
    return Check("load average", f"{one:.2f}", Fitness.POOR, matters, "wait until it has fallen")


def governor(name: str | None) -> Check:
    """What sets the frequency."""
    if name is None:
        return unknown("CPU governor")
    if name == "performance":
        return Check("CPU governor", name, Fitness.GOOD)
    return Check(
        "CPU governor",
        shown(name),
        Fitness.POOR,
        "cores slow down between requests",
        "steady it",
        (root("cpupower frequency-set -g performance"),),
    )


def turbo(no_turbo: str | None, boost: str | None) -> Check:
    """From Intel's own file, or the one that other drivers have."""
    if no_turbo is None and boost is None:
        return unknown("turbo")
    if no_turbo == "1" or (no_turbo is None and boost == "0"):
        return Check("turbo", "off", Fitness.GOOD)
    off = f"echo 1 > {NO_TURBO}" if no_turbo is not None else f"echo 0 > {BOOST}"
    matters = "the fewer cores are busy, and the cooler, the faster they are"
    return Check(
        "turbo", "on", Fitness.POOR, matters, "turn it off while you measure", (root(off),)
    )


def smt(active: str | None, count: int) -> Check:
    """Two hardware threads a core: what a core of its own is worth."""
    if active is None:
        return unknown("SMT")
    if active != "1":
        return Check("SMT", "off", Fitness.GOOD)
    if count < FEWEST_CORES:
        return Check("SMT", "on", Fitness.GOOD, "all share the cores anyway")
    return Check(
        "SMT",
        "on",
        Fitness.POOR,
        "two of the CPUs are one core: `--pin auto` may give them to parts that disturb each other",
        "turn it off while you measure, or name CPUs of different cores with `--pin`",
        (root(f"echo off > {SMT}/control"),),
    )
