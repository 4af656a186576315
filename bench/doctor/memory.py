"""Memory: too little of it, and pages that the kernel gathers while a trial runs.

Source: Documentation/admin-guide/mm/transhuge.rst.
"""

from __future__ import annotations

import re

import psutil

from bench.doctor.check import Check, Fitness, root, unknown
from bench.run.host.machine import read
from bench.text import shown

FOLDER = "/sys/kernel/mm/transparent_hugepage"
LEAST_GB = 1.0  # that servers, generator and their files take together, with room to spare


def looks() -> list[Check]:
    """All of memory."""
    return [
        available(psutil.virtual_memory().available / 1e9),
        hugepages(read(f"{FOLDER}/enabled"), read(f"{FOLDER}/defrag")),
    ]


def available(free_gb: float) -> Check:
    """Without swapping."""
    found = f"{free_gb:.1f} GB available"
    if free_gb >= LEAST_GB:
        return Check("memory", found, Fitness.GOOD)
    return Check("memory", found, Fitness.POOR, "a server that swaps waits for the disk",
                 "close what takes it")  # fmt: skip


def chosen(text: str | None) -> str | None:
    """The word in brackets: of ``always [madvise] never`` it is madvise."""
    found = re.search(r"\[(\S+)\]", text or "")
    return None if found is None else found[1]


def hugepages(enabled: str | None, defrag: str | None) -> Check:
    """Where a process that asks for memory has to wait until large pages have been gathered."""
    use, gather = chosen(enabled), chosen(defrag)
    if use is None:
        return unknown("huge pages")
    if use != "always" or gather != "always":
        told = shown(use) if gather is None else f"{shown(use)}, gathered: {shown(gather)}"
        return Check("huge pages", told, Fitness.GOOD)
    return Check(
        "huge pages",
        "always, gathered: always",
        Fitness.POOR,
        "a process that asks for memory may wait while the kernel moves pages",
        "let it gather only for who asks",
        (root(f"echo madvise > {FOLDER}/defrag"),),
    )
