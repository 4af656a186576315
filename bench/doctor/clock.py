"""The clock that all times are read from: a slow one costs each request, in every process.

Sources: Documentation/timers/timekeeping.rst; clocks that the vDSO reads without a system call
are those with a vdso_clock_mode (arch/x86/include/asm/vdso/clocksource.h, and its like).
"""

from __future__ import annotations

import time

from bench.doctor.check import Check, Fitness, root, unknown
from bench.run.host.machine import read
from bench.text import shown

FOLDER = "/sys/devices/system/clocksource/clocksource0"
QUICK = ("tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter", "timebase", "xen")
READINGS, BATCHES = 1000, 20
SLOW_NS = 1000.0  # of one reading; without a system call it takes some 50


def looks() -> list[Check]:
    """Which source it is, and what one reading of it takes."""
    return [
        source(read(f"{FOLDER}/current_clocksource"), read(f"{FOLDER}/available_clocksource")),
        cost(reading_ns()),
    ]


def source(current: str | None, available: str | None) -> Check:
    """From the kernel's two files."""
    if not current:
        return unknown("clock source")
    if current in QUICK:
        return Check("clock source", shown(current), Fitness.GOOD)
    others = [name for name in (available or "").split() if name in QUICK]
    return Check(
        "clock source",
        shown(current),
        Fitness.POOR,
        "each reading is a system call or slower, and every request takes some",
        f"change it to {others[0]}" if others else "no quick one is there; compare, don't quote",
        (root(f"echo {others[0]} > {FOLDER}/current_clocksource"),) if others else (),
    )


def reading_ns() -> float:
    """What one reading takes: the best of some batches, since others run, too."""
    best = float("inf")
    for _ in range(BATCHES):
        began = time.perf_counter_ns()
        for _ in range(READINGS):
            time.monotonic_ns()
        best = min(best, (time.perf_counter_ns() - began) / READINGS)
    return best


def cost(took_ns: float) -> Check:
    """From a measurement, so everywhere."""
    found = f"{took_ns:.0f} ns a reading"
    if took_ns <= SLOW_NS:
        return Check("clock", found, Fitness.GOOD)
    matters = "users, application and delay server read it for every request"
    return Check("clock", found, Fitness.POOR, matters, "see the clock source")
