"""All trials of a plan, in order, each recorded as it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bench.plan import PlannedTrial
from bench.records.model import TrialRecord

Measure = Callable[[PlannedTrial], TrialRecord]


def run_plan(
    trials: Sequence[PlannedTrial],
    done: Iterable[TrialRecord],
    *,
    measure: Measure,
    keep: Callable[[TrialRecord], None],
    tell: Callable[[TrialRecord, int], None],
) -> int:
    """Measure what is not done yet; gives how many trials were measured now.

    A trial is known by cell, round and twin: its number is another one in a plan of more cells.
    ``keep`` comes before ``tell``: what a person has seen is on disk.
    """
    finished = {(record.cell, record.round, record.twin) for record in done}
    missing = [t for t in trials if (t.cell.id, t.round, t.twin) not in finished]
    for count, planned in enumerate(missing, len(trials) - len(missing) + 1):
        record = measure(planned)
        keep(record)
        tell(record, count)
    return len(missing)
