"""Is this machine fit to measure, and what to change? Looks, says, changes nothing.

A file a topic; what a system doesn't tell is said to be unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.doctor import (
    clock,
    container,
    cpu,
    disk,
    machines,
    memory,
    network,
    processes,
    report,
    tools,
)  # fmt: skip
from bench.doctor.asked import Asked, asked
from bench.doctor.check import Check, Fitness
from bench.paths import default_python

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.config import Machine
    from bench.paths import Paths

FIT, UNFIT = 0, 3


def examine(
    paths: Paths,
    output: Path,
    *,
    fix: bool,
    config: Path | None = None,
    away: tuple[Sequence[Machine], str | None] = ((), None),
) -> tuple[str, int]:
    """What to print, and the exit status: 3 if something needed is missing.

    Args:
        paths: where nox has put things.
        output: the folder where runs are kept.
        fix: also list the commands that would help.
        config: the file in place of experiments.yaml.
        away: load machines, and the address where servers would listen for them.

    Raises:
        RequirementError: that is no address of this machine.
    """
    wanted = asked(paths, config)
    checks = [
        # First, as the others take some CPU themselves.
        *processes.looks(),
        *cpu.looks(),
        *container.looks(),
        *clock.looks(),
        *memory.looks(),
        *network.looks(wanted.users if isinstance(wanted, Asked) else 0),
        *disk.looks(output),
        *([wanted] if isinstance(wanted, Check) else []),
        *tools.looks(paths, wanted.pythons if isinstance(wanted, Asked) else [default_python()]),
        *(tools.own_environments(paths, wanted) if isinstance(wanted, Asked) else []),
        *machines.looks(paths.root, *away),
    ]
    parts = [report.table(checks), report.closing(checks)]
    parts += [report.remedies(checks)] if fix else []
    unfit = any(one.fitness is Fitness.MISSING for one in checks)
    return "\n\n".join(parts), UNFIT if unfit else FIT
