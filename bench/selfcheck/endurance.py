"""Hundreds of short trials: the harness must not grow, and must leave nothing."""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bench.config import fixed
from bench.selfcheck.figure import Figure
from bench.selfcheck.trials import cell, trials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.paths import Paths

TRIALS = 500
SETTLED = 50  # trials after which nothing may grow any more
AROUND = 10  # trials whose median is one point
GROWTH = 0.05


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the harness holds after a trial."""

    rss: int
    open_files: int
    children: int
    temporary: int  # files and folders in our temporary folder


def run(paths: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """500 short trials: memory, open files, processes and temporary files of the harness."""
    if quick:
        return judge(measure(paths, 2), 1, 1)
    return judge(measure(paths, TRIALS), SETTLED, AROUND)


def measure(paths: Paths, count: int) -> list[Footprint]:
    """What is held after each of so many trials."""
    which, found = cell("async", "sleep"), []
    with (
        _own_temporary_folder() as temporary,
        trials(paths, fixed(4, 0.1, 0.4), [which], delay_s=0.05) as bench,
    ):
        for _ in range(count):
            bench.measured(which)
            found.append(_look(temporary))
    return found


@contextlib.contextmanager
def _own_temporary_folder() -> Iterator[Path]:
    """Where we and our children make temporary files meanwhile, and nobody else."""
    before = os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="matrix-endurance-") as name:
        os.environ["TMPDIR"], tempfile.tempdir = name, None
        try:
            yield Path(name)
        finally:
            os.environ.pop("TMPDIR")
            if before is not None:
                os.environ["TMPDIR"] = before
            tempfile.tempdir = None


def judge(loads: list[Footprint], settled: int, around: int) -> list[Figure]:
    """Growth from when all had settled to the end; both ends are medians of a few trials."""
    early, late = loads[settled - around : settled], loads[-around:]
    return [
        _growth("memory", [one.rss / 1e6 for one in early], [one.rss / 1e6 for one in late]),
        _growth("open files", [one.open_files for one in early], [one.open_files for one in late]),
        _growth("processes", [one.children for one in early], [one.children for one in late]),
        _growth(
            "temporary files", [one.temporary for one in early], [one.temporary for one in late]
        ),
    ]


def _growth(what: str, early: list[float] | list[int], late: list[float] | list[int]) -> Figure:
    first, last = statistics.median(early), statistics.median(late)
    growth = last / first - 1 if first else float(last)
    return Figure(
        f"growth of the harness's {what}",
        growth * 100,
        GROWTH * 100,
        " %",
        f"{first:g} to {last:g}",
    )


def _look(temporary: Path) -> Footprint:
    me = psutil.Process()
    return Footprint(
        rss=me.memory_info().rss,
        open_files=me.num_fds(),
        children=len(me.children(recursive=True)),
        temporary=len(list(temporary.iterdir())),
    )
