"""Trials on a machine that others use, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.fitness import judge
from bench.run.host.machine import describe

if TYPE_CHECKING:
    from bench.plan import Cell
    from bench.records.model import TrialRecord
    from bench.selfcheck.trials import Trials

TRIES = 3


def usable(bench: Trials, which: Cell) -> TrialRecord:
    """The first of three trials whose numbers may be printed.

    For cells that should have numbers: other programs may keep the generator or the
    delay server waiting, and the verdict then says that; no fault of ours comes and goes.
    """
    for _ in range(TRIES):
        record = bench.run(which)
        verdict = judge(record, describe().cores)
        if verdict.usable:
            return record
    raise AssertionError(verdict)
