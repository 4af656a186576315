"""Is this machine fit to measure, and what to change? Looks, says, changes nothing.

A file a topic; what a system doesn't tell is said to be unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.doctor import clock, container, cpu, disk, memory, network, processes, report, tools
from bench.doctor.check import Fitness

if TYPE_CHECKING:
    from pathlib import Path

    from bench.paths import Paths

FIT, UNFIT = 0, 3


def examine(paths: Paths, output: Path, *, fix: bool) -> tuple[str, int]:
    """What to print, and the exit status: 3 if something needed is missing.

    Args:
        paths: where nox has put things.
        output: the folder where runs are kept.
        fix: also list the commands that would help.
    """
    checks = [
        # First, as the others take some CPU themselves.
        *processes.looks(),
        *cpu.looks(),
        *container.looks(),
        *clock.looks(),
        *memory.looks(),
        *network.looks(),
        *disk.looks(output),
        *tools.looks(paths),
    ]
    parts = [report.table(checks), report.closing(checks)]
    parts += [report.remedies(checks)] if fix else []
    unfit = any(one.fitness is Fitness.MISSING for one in checks)
    return "\n\n".join(parts), UNFIT if unfit else FIT
