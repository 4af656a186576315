"""A run as a display is told of one, but quick and of made-up records: ``python live_run.py HOW``.

HOW: ``whole`` ends by itself, ``waits`` stands still in a window, ``breaks`` has a bug there.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bench import cli
from bench.config import Profile
from bench.live.displays import display
from bench.live.terminal import CALM_S
from bench.plan import Cell, make_plan
from bench.records.model import Cause, Outcome, Purpose
from bench.run.observer import Counts, Observer
from bench.run.schedule import Progress
from tests.support.records import trial

if TYPE_CHECKING:
    from bench.typed_options import MeasureOptions

PLAN = make_plan(
    [Cell("sync", "http", "uvicorn", 1), Cell("async", "json", "uvicorn", 1)],
    Profile("quick", users=50, delay_s=0.2, budget_s=720.0),
    seed=1,
)


def tell(observer: Observer, how: str) -> None:
    """All that a run tells, in order."""
    observer.say("run 20260304-050607-aaaaaa: 2 cells")
    observer.opened(PLAN, [], 2)
    observer.phase("control")
    observer.window(2.0)
    observer.planned(PLAN.trials)
    for done, planned in enumerate(PLAN.trials):
        observer.begun(planned, Progress(done, 4.0 * done))
        for name in ("start", "verify", "gate", "load", "warm-up"):
            observer.phase(name)
        observer.counted(Counts(10**9, 60, 10, 0))
        observer.window(2.0)
        observer.counted(Counts(2 * 10**9, 160, 110, 3))
        if done == 1:
            observer.warn("trials.jsonl:2 is corrupt")
        if done == 2 and how == "waits":
            time.sleep(CALM_S)  # what is drawn in a window is drawn seldom
            observer.counted(Counts(3 * 10**9, 260, 210, 4))
            time.sleep(60)
        if done == 2 and how == "breaks":
            raise RuntimeError("a bug")
        observer.phase("stop")
        record = trial(
            cell=planned.cell.id, experiment=planned.cell.experiment, index=done + 1,
            round=planned.round, twin=planned.twin,
            purpose=Purpose(Cause.REFINE, 0.11) if done else Purpose(Cause.FIRST),
        )  # fmt: skip
        if done == 3:
            record = replace(
                record, outcome=Outcome.FAILED, reason="it did not start", measured=None
            )
        observer.ended(record, Progress(done + 1, 4.0 * (done + 1)))


def matrix(options: MeasureOptions) -> int:
    """As `bench.cli.matrix`, but for what measures."""
    with display(quiet=options.quiet) as observer:
        tell(observer, HOW)
    print("2 rough\nAll of it: reports/latest.md")  # noqa: T201 - as the command does
    return 0


if __name__ == "__main__":
    HOW, *rest = sys.argv[1:]
    cli.COMMANDS["matrix"] = matrix
    sys.exit(cli.main(["matrix", *rest]))
