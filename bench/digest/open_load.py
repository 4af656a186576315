"""An open load: what was due, what came of it in time, and how many were in the system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.digest.raw import NS_PER_MS
from bench.records.model import OpenLoad
from bench.stats import percentile, tapered_occupancy
from locustfiles import layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.digest.raw import Raw


def open_load(raw: Raw) -> OpenLoad | None:
    """Of the window; None of a closed load."""
    log, profile = raw.requests, raw.facts.profile
    if log.sent_ns is None or profile.rate is None:
        return None
    t0, t1 = raw.facts.t0_ns, raw.facts.t1_ns
    due = (log.start_ns >= t0) & (log.start_ns < t1)
    sent = due & (log.sent_ns > 0) & (log.sent_ns < t1)
    # Who was never sent is as late as the window lets one be.
    late_ns = np.where(sent, log.sent_ns, t1)[due] - log.start_ns[due]
    answered = due & (log.outcome == layout.SUCCEEDED) & (log.end_ns < t1)
    from_due_ms = _p99_ms((log.end_ns - log.start_ns)[answered])
    from_sent_ms = _p99_ms((log.end_ns - log.sent_ns)[answered])
    return OpenLoad(
        rate=profile.rate,
        arrivals=profile.arrivals,
        due=int(np.count_nonzero(due)),
        behind=int(np.count_nonzero(due & ~sent)),
        late_p50_ms=_percentile_ms(late_ns, 50),
        late_p99_ms=_p99_ms(late_ns),
        late_in_p99_ms=(
            None if from_due_ms is None or from_sent_ms is None else from_due_ms - from_sent_ms
        ),
        in_system_avg=tapered_occupancy(log.start_ns, _open_until(raw), t0, t1),
    )


def _p99_ms(values_ns: NDArray[np.int64]) -> float | None:
    return _percentile_ms(values_ns, 99)


def _percentile_ms(values_ns: NDArray[np.int64], q: float) -> float | None:
    found = percentile(values_ns.tolist(), q) if len(values_ns) else None
    return None if found is None else found / NS_PER_MS


def in_flight(raw: Raw) -> float:
    """Requests that the generator had sent and that were not answered, as it saw them."""
    log, t0, t1 = raw.requests, raw.facts.t0_ns, raw.facts.t1_ns
    end_ns = _open_until(raw)
    if log.sent_ns is None:
        return tapered_occupancy(log.start_ns, end_ns, t0, t1)
    was_sent = log.sent_ns > 0
    return tapered_occupancy(log.sent_ns[was_sent], end_ns[was_sent], t0, t1)


def population(raw: Raw) -> float:
    """The users; of an open load the requests that were due and not answered, on average."""
    found = open_load(raw)
    return float(raw.facts.profile.users) if found is None else found.in_system_avg


def _open_until(raw: Raw) -> NDArray[np.int64]:
    """Who was cut off at the stop was so for the whole of the window."""
    log, t1 = raw.requests, raw.facts.t1_ns
    cut_off = log.outcome == layout.UNFINISHED
    found: NDArray[np.int64] = np.where(cut_off, np.maximum(log.end_ns, t1), log.end_ns)
    return found
