"""An open load: what was due, what came of it in time, and how many were in the system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.digest import grouped
from bench.digest.raw import NS_PER_MS
from bench.records.model import OpenLoad
from bench.stats import percentile, tapered_occupancy
from locustfiles import layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.digest.raw import Raw
    from bench.digest.read import RequestLog


def open_load(raw: Raw) -> OpenLoad | None:
    """Of the window; None of a closed load."""
    log, profile = raw.requests, raw.facts.profile
    if not log.open or profile.rate is None:
        return None
    t0, t1 = raw.facts.t0_ns, raw.facts.t1_ns
    late, from_due, from_sent = (_Values(large=log.large) for _ in range(3))
    due_count, behind, occupancy = 0, 0, 0.0
    for part in log.parts():
        sent_ns = _sent(part)
        due = (part.start_ns >= t0) & (part.start_ns < t1)
        sent = due & (sent_ns > 0) & (sent_ns < t1)
        # Who was never sent is as late as the window lets one be.
        late.add(np.where(sent, sent_ns, t1)[due] - part.start_ns[due])
        answered = due & (part.outcome == layout.SUCCEEDED) & (part.end_ns < t1)
        from_due.add((part.end_ns - part.start_ns)[answered])
        from_sent.add((part.end_ns - sent_ns)[answered])
        due_count += int(np.count_nonzero(due))
        behind += int(np.count_nonzero(due & ~sent))
        occupancy += tapered_occupancy(part.start_ns, _open_until(part, t1), t0, t1)
    from_due_ms, from_sent_ms = from_due.ms(99), from_sent.ms(99)
    return OpenLoad(
        rate=profile.rate,
        arrivals=profile.arrivals,
        due=due_count,
        behind=behind,
        late_p50_ms=late.ms(50),
        late_p99_ms=late.ms(99),
        late_in_p99_ms=(
            None if from_due_ms is None or from_sent_ms is None else from_due_ms - from_sent_ms
        ),
        in_system_avg=occupancy,
    )


class _Values:
    """Times whose percentiles are wanted; of many only how often each was, to 0.1 %."""

    def __init__(self, *, large: bool) -> None:
        self._bins = grouped.Bins() if large else None
        self._all: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def add(self, values_ns: NDArray[np.int64]) -> None:
        """Those of one part."""
        if self._bins is None:
            self._all = np.concatenate([self._all, values_ns])
        else:
            self._bins.add(values_ns)

    def ms(self, q: float) -> float | None:
        """A percentile; None of no values."""
        if self._bins is not None:
            found = grouped.percentile(self._bins.counted(), q)
        else:
            found = percentile(self._all.tolist(), q) if self._all.size else None
        return None if found is None else found / NS_PER_MS


def _sent(part: RequestLog) -> NDArray[np.int64]:
    """When each was sent, 0 if never: of an open load."""
    if part.sent_ns is None:
        raise ValueError("the records are no open load's")
    return part.sent_ns


def in_flight(raw: Raw) -> float:
    """Requests that the generator had sent and that were not answered, as it saw them."""
    t0, t1 = raw.facts.t0_ns, raw.facts.t1_ns
    found = 0.0
    for part in raw.requests.parts():
        start_ns, end_ns = part.start_ns, _open_until(part, t1)
        if part.sent_ns is not None:
            was_sent = part.sent_ns > 0
            start_ns, end_ns = part.sent_ns[was_sent], end_ns[was_sent]
        found += tapered_occupancy(start_ns, end_ns, t0, t1)
    return found


def population(raw: Raw) -> float:
    """The users; of an open load the requests that were due and not answered, on average."""
    found = open_load(raw)
    return float(raw.facts.profile.users) if found is None else found.in_system_avg


def _open_until(part: RequestLog, t1_ns: int) -> NDArray[np.int64]:
    """Who was cut off at the stop was so for the whole of the window."""
    cut_off = part.outcome == layout.UNFINISHED
    found: NDArray[np.int64] = np.where(cut_off, np.maximum(part.end_ns, t1_ns), part.end_ns)
    return found
