"""The generator's requests: how many, how many a second, how long they took."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bench import stats
from bench.digest.open_load import population
from bench.digest.raw import NS_PER_MS
from bench.records.model import Latency, Requests
from bench.stats import (
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


UNSEEN = "the locustfile's own client tells of requests only once they have ended"


@dataclass(frozen=True, slots=True)
class Rates:
    """Per second, within the window."""

    throughput_rps: float
    failures_rps: float


def rates(raw: Raw) -> Rates:
    """Tapered rates of good and failed answers."""
    t0, t1 = raw.facts.t0_ns, raw.facts.t1_ns
    end_ns = raw.requests.end_ns
    return Rates(
        throughput_rps=hann_rate(end_ns[succeeded(raw)], t0, t1),
        failures_rps=hann_rate(end_ns[_failed(raw)], t0, t1),
    )


def steadiness_of(raw: Raw) -> Steadiness | None:
    """How even the successes came in the window; None if there were none."""
    facts = raw.facts
    t0, t1 = facts.t0_ns, facts.t1_ns
    end_ns = raw.requests.end_ns[succeeded(raw)]
    rate = hann_rate(end_ns, t0, t1)
    if rate <= 0:
        return None
    found = steadiness(end_ns, t0, t1, population(raw) / rate)
    if found.error is not None:
        return found
    # Fewer than two rounds fit: of a server that works without a break the gaps tell.
    return replace(found, error=gap_error(end_ns, t0, t1))


def requests(raw: Raw) -> Requests:
    """The counts, over the whole trial and in the window."""
    log, good, failed = raw.requests, succeeded(raw), _failed(raw)
    t1 = raw.facts.t1_ns
    in_window = _in_window(raw)
    cut_off = log.outcome == request_layout.UNFINISHED
    # Cut off at the stop, or answered only after the window: in flight at t1.
    waiting = (log.start_ns < t1) & ((log.end_ns >= t1) | cut_off)
    ages_ns = t1 - log.start_ns[waiting]
    kinds = {
        name: int(np.count_nonzero(log.outcome == number))
        for number, name in raw.generator.failure_kinds.items()
    }
    redirects = [count for name, count in kinds.items() if request_layout.is_redirect(name)]
    return Requests(
        started=len(log.start_ns),
        succeeded=int(np.count_nonzero(good)),
        failed=int(np.count_nonzero(failed)),
        unfinished=int(np.count_nonzero(cut_off)),
        window_succeeded=int(np.count_nonzero(in_window & good)),
        window_failed=int(np.count_nonzero(in_window & failed)),
        window_unfinished=int(np.count_nonzero(waiting)),
        oldest_unfinished_ms=float(ages_ns.max()) / NS_PER_MS if len(ages_ns) else None,
        failure_kinds=kinds,
        redirects=sum(redirects),
        unseen=raw.generator.unseen,
    )


def watched(raw: Raw) -> stats.Latency:
    """The latencies of the window, and what they were read from."""
    log = raw.requests
    return stats.latency(
        log.start_ns,
        np.where(log.outcome == request_layout.UNFINISHED, -1, log.end_ns),
        succeeded(raw),
        raw.facts.t0_ns,
        raw.facts.t1_ns,
        raw.generator.spawned_ns,
    )


def latencies(raw: Raw, found: stats.Latency, throughput_rps: float) -> Latency:
    """Of successful requests."""
    # Little's law speaks of all requests: with failures among them it does not
    # give the mean of the successful ones.
    # Nor of users who wait between two requests, as their file has it.
    # Nor of an open load, in which who is there isn't known beforehand.
    some_failed = bool((_in_window(raw) & _failed(raw)).any())
    closed_apart = some_failed or raw.facts.theirs or raw.requests.sent_ns is not None
    little_ms = mean_by_little_ms(raw.facts.profile.users, throughput_rps)
    unseen = Percentile(None, None, UNSEEN) if raw.generator.unseen else None
    return Latency(
        p50=unseen or found.p50,
        p90=unseen or found.p90,
        p99=unseen or found.p99,
        mean_measured_ms=found.mean_measured_ms,
        mean_by_little_ms=None if closed_apart else little_ms,
    )


def succeeded(raw: Raw) -> NDArray[np.bool_]:
    """Which requests got the right answer."""
    found: NDArray[np.bool_] = raw.requests.outcome == request_layout.SUCCEEDED
    return found


def _failed(raw: Raw) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = raw.requests.outcome >= request_layout.FIRST_FAILURE
    return found


def _in_window(raw: Raw) -> NDArray[np.bool_]:
    end_ns = raw.requests.end_ns
    found: NDArray[np.bool_] = (end_ns >= raw.facts.t0_ns) & (end_ns < raw.facts.t1_ns)
    return found
