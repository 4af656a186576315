"""All trials of a plan, in order, each recorded as it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bench.plan import PlannedTrial
from bench.record import TrialRecord

Measure = Callable[[PlannedTrial], TrialRecord]


def run_plan(
    trials: Sequence[PlannedTrial],
    done: Iterable[int],
    *,
    measure: Measure,
    keep: Callable[[TrialRecord], None],
    tell: Callable[[TrialRecord, int], None],
) -> int:
    """Measure what is not done yet; gives how many trials were measured now.

    ``keep`` comes before ``tell``: what a person has seen is on disk.
    """
    finished = set(done)
    count = 0
    for planned in trials:
        if planned.index in finished:
            continue
        record = measure(planned)
        keep(record)
        count += 1
        tell(record, len(finished) + count)
    return count
