"""Whether the requests of an open load were sent when they were due.

What is sent late counts from when it was due, as for a user who waits for it (Tene, "How NOT to
measure latency", 2015; wrk2). But a generator that can't keep up makes another load than was asked
for: then the figures are its own. What its lateness did is measured: of each request both times
are known, so the p99 is, from when they were due and from when they were sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.analysis.reason import Kind, Reason

if TYPE_CHECKING:
    from bench.records.model import Measured

LATE = 0.05  # of the p99 of the latencies
BEHIND = 0.01  # of what was due in the window


def arrivals(measured: Measured) -> tuple[Reason, ...]:
    """Where they were not; empty of a closed load."""
    found = measured.open
    if found is None:
        return ()
    reasons = []
    p99 = measured.latency.p99
    p99_ms = p99.value_ms if p99.value_ms is not None else p99.over_ms
    late_ms = lateness_ms(measured)
    if p99_ms and late_ms > LATE * p99_ms:
        reasons.append(Reason(Kind.ARRIVALS_LATE, (late_ms, p99_ms)))
    if found.behind > BEHIND * found.due:
        reasons.append(Reason(Kind.ARRIVALS_BEHIND, (found.due, found.behind)))
    return tuple(reasons)


def lateness_ms(measured: Measured) -> float:
    """The median, or what it did to the p99, whichever is more; 0 of a closed load."""
    found = measured.open
    return 0.0 if found is None else max(found.late_p50_ms or 0.0, found.late_in_p99_ms or 0.0)
