"""A target that has two regimes, one of them by chance of each start: is it told as that?"""

from __future__ import annotations

from dataclasses import replace
from statistics import geometric_mean
from typing import TYPE_CHECKING

from bench.analysis.known import knowledge
from bench.analysis.verdict import Word, verdict
from bench.config import fixed
from bench.run.host.machine import describe
from bench.selfcheck.figure import Figure
from bench.selfcheck.trials import cell

if TYPE_CHECKING:
    from bench.records.model import TrialRecord
    from bench.selfcheck.trials import Trials

USERS = 8
MOST = 12  # trials: each regime has come twice by then in all but one of some 300 checks
TWICE = 2
PRECISION = 0.10
BETWEEN_RPS = 230.0  # 8 users who wait for 20 ms go 400 times a second, for 60 ms 133 times


def regimes(bench: Trials) -> Figure:
    """Trials until each regime has been seen twice; the row must say so."""
    which = cell("async", "regimes")
    loaded = bench.under(fixed(USERS, 0.5, 2.0), delay_s=0.1)
    records: list[TrialRecord] = []
    for number in range(1, MOST + 1):
        record, _ = loaded.measured(which)
        records.append(replace(record, round=number))
        if _seen_twice(records):
            break
    known = knowledge(records, describe().cores)[which.id]
    word = verdict(known, PRECISION).word
    told = ", ".join(f"{_rate(record):.0f}" for record in records)
    if known.regimes is not None:
        low, high = (geometric_mean(part) for part in (known.regimes.low, known.regimes.high))
        told += f": two regimes, {low:.0f} and {high:.0f}"
    return Figure(
        "two regimes, by chance of the start, not told",
        float(word is not Word.UNSTABLE),
        0.0,
        "",
        f"trials at {told} requests/s",
    )


def _seen_twice(records: list[TrialRecord]) -> bool:
    fast = sum(_rate(record) > BETWEEN_RPS for record in records)
    return TWICE <= fast <= len(records) - TWICE


def _rate(record: TrialRecord) -> float:
    return 0.0 if record.measured is None else record.measured.throughput_rps
