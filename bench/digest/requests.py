"""The generator's requests: how many, how many a second, how long they took."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bench import stats
from bench.digest import grouped
from bench.digest.open_load import population
from bench.digest.raw import NS_PER_MS
from bench.records.model import Latency, Requests
from bench.stats import (
    Counted,
    Percentile,
    Steadiness,
    gap_error,
    hann_rate,
    mean_by_little_ms,
    steadiness,
)
from locustfiles import layout as request_layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.digest.raw import Raw
    from bench.digest.read import RequestLog


UNSEEN = "the locustfile's own client tells of requests only once they have ended"


@dataclass(frozen=True, slots=True)
class Rates:
    """Per second, within the window."""

    throughput_rps: float
    failures_rps: float


def rates(raw: Raw) -> Rates:
    """Tapered rates of good and failed answers."""
    t0, t1 = raw.facts.t0_ns, raw.facts.t1_ns
    good, failures = 0.0, 0.0
    for part in raw.requests.parts():
        good += hann_rate(part.end_ns[succeeded(part)], t0, t1)
        failures += hann_rate(part.end_ns[failed(part)], t0, t1)
    return Rates(throughput_rps=good, failures_rps=failures)


def steadiness_of(raw: Raw) -> Steadiness | None:
    """How even the successes came in the window; None if there were none."""
    t0, t1 = raw.facts.t0_ns, raw.facts.t1_ns
    end_ns: NDArray[np.int64] | Counted
    if raw.requests.large:
        end_ns = grouped.ends(raw.requests, t0, t1)
    else:
        (part,) = raw.requests.parts()
        end_ns = part.end_ns[succeeded(part)]
    rate = hann_rate(end_ns, t0, t1)
    if rate <= 0:
        return None
    found = steadiness(end_ns, t0, t1, population(raw) / rate)
    if found.error is not None or isinstance(end_ns, Counted):
        return found
    # Fewer than two rounds fit: of a server that works without a break the gaps tell.
    return replace(found, error=gap_error(end_ns, t0, t1))


def requests(raw: Raw) -> Requests:
    """The counts, over the whole trial and in the window."""
    counts: Counter[str] = Counter()
    kinds = dict.fromkeys(raw.generator.failure_kinds.values(), 0)
    oldest_ns: int | None = None
    for part in raw.requests.parts():
        counts.update(_counts(part, raw.facts.t0_ns, raw.facts.t1_ns))
        for number, name in raw.generator.failure_kinds.items():
            kinds[name] += int(np.count_nonzero(part.outcome == number))
        ages_ns = raw.facts.t1_ns - part.start_ns[_waiting(part, raw.facts.t1_ns)]
        if len(ages_ns):
            oldest_ns = max(oldest_ns or 0, int(ages_ns.max()))
    redirects = [count for name, count in kinds.items() if request_layout.is_redirect(name)]
    return Requests(
        **counts,
        oldest_unfinished_ms=None if oldest_ns is None else oldest_ns / NS_PER_MS,
        failure_kinds=kinds,
        redirects=sum(redirects),
        unseen=raw.generator.unseen,
    )


def _waiting(part: RequestLog, t1_ns: int) -> NDArray[np.bool_]:
    """Cut off at the stop, or answered only after the window: in flight at t1."""
    cut_off = part.outcome == request_layout.UNFINISHED
    found: NDArray[np.bool_] = (part.start_ns < t1_ns) & ((part.end_ns >= t1_ns) | cut_off)
    return found


def _counts(part: RequestLog, t0_ns: int, t1_ns: int) -> dict[str, int]:
    """Of one part, as `Requests` names them."""
    good, bad = succeeded(part), failed(part)
    within = in_window(part, t0_ns, t1_ns)
    chosen = {
        "succeeded": good,
        "failed": bad,
        "unfinished": part.outcome == request_layout.UNFINISHED,
        "window_succeeded": within & good,
        "window_failed": within & bad,
        "window_unfinished": _waiting(part, t1_ns),
    }
    counts = {name: int(np.count_nonzero(which)) for name, which in chosen.items()}
    return counts | {"started": len(part.start_ns)}


def watched(raw: Raw) -> stats.Latency:
    """The latencies of the window, and what they were read from."""
    t0, t1, since = raw.facts.t0_ns, raw.facts.t1_ns, raw.generator.spawned_ns
    if raw.requests.large:
        few = grouped.subjects(raw.requests, t0, t1, since)
        return stats.latency(few.start_ns, few.end_ns, few.succeeded, t0, t1, since, few.grouped)
    (part,) = raw.requests.parts()
    return stats.latency(
        part.start_ns,
        np.where(part.outcome == request_layout.UNFINISHED, -1, part.end_ns),
        succeeded(part),
        t0,
        t1,
        since,
    )


def latencies(raw: Raw, found: stats.Latency, throughput_rps: float) -> Latency:
    """Of successful requests."""
    # Little's law speaks of all requests: with failures among them it does not
    # give the mean of the successful ones.
    # Nor of users who wait between two requests, as their file has it.
    # Nor of an open load, in which who is there isn't known beforehand.
    t0, t1 = raw.facts.t0_ns, raw.facts.t1_ns
    some_failed = any(
        bool((in_window(part, t0, t1) & failed(part)).any()) for part in raw.requests.parts()
    )
    closed_apart = some_failed or raw.facts.theirs or raw.requests.open
    little_ms = mean_by_little_ms(raw.facts.profile.users, throughput_rps)
    unseen = Percentile(None, None, UNSEEN) if raw.generator.unseen else None
    return Latency(
        p50=unseen or found.p50,
        p90=unseen or found.p90,
        p99=unseen or found.p99,
        mean_measured_ms=found.mean_measured_ms,
        mean_by_little_ms=None if closed_apart else little_ms,
    )


def succeeded(part: RequestLog) -> NDArray[np.bool_]:
    """Which requests got the right answer."""
    found: NDArray[np.bool_] = part.outcome == request_layout.SUCCEEDED
    return found


def failed(part: RequestLog) -> NDArray[np.bool_]:
    """Which ended otherwise."""
    found: NDArray[np.bool_] = part.outcome >= request_layout.FIRST_FAILURE
    return found


def in_window(part: RequestLog, t0_ns: int, t1_ns: int) -> NDArray[np.bool_]:
    """Which ended in it."""
    found: NDArray[np.bool_] = (part.end_ns >= t0_ns) & (part.end_ns < t1_ns)
    return found
