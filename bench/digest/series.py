"""A trial over time, in forty equal bins: what a page draws of it once the raw files are gone."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from app.probe import layout
from bench.digest import integrals, signals
from bench.digest.raw import NS_PER_MS, NS_PER_S
from bench.digest.requests import succeeded
from bench.records.model import SCHEMA, LatencyCurve, SeriesRecord
from bench.stats import bin_edges, binned_mean, binned_occupancy, binned_rate, outline
from locustfiles import layout as request_layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from bench.digest.raw import Raw
    from bench.records.model import TrialRecord
    from bench.records.trial_files import Look
    from bench.stats import Latency

BINS = 40
STALE_NS = 500_000_000  # a gauge that wasn't looked at for longer is not known in between
DIGITS, COUNT_DIGITS = 3, 4  # significant ones of signals; and of what is counted
SHARE_DECIMALS, TIME_DECIMALS = 4, 4


def series_of(
    raw: Raw, seen: Latency, trial: TrialRecord, disturbances: Iterable[str]
) -> SeriesRecord:
    """What a trial looked like.

    Args:
        raw: what it left.
        seen: its latencies, with what they were read from.
        trial: its record.
        disturbances: why it isn't clean, as the reports say it.
    """
    first_ns, stop_ns = raw.generator.first_spawn_ns, _stop_ns(raw)
    edges = bin_edges(first_ns, stop_ns, BINS)
    rate, in_flight = np.zeros(BINS), np.zeros(BINS)
    for part in raw.requests.parts():
        rate += binned_rate(part.end_ns[succeeded(part)], edges)
        in_flight += binned_occupancy(part.start_ns, part.end_ns, edges)
    return SeriesRecord(
        schema=SCHEMA,
        run=trial.run,
        index=trial.index,
        round=trial.round,
        cell=trial.cell,
        twin=trial.twin,
        t0_s=_since_s(raw.facts.t0_ns, first_ns),
        t1_s=_since_s(raw.facts.t1_ns, first_ns),
        stop_s=_since_s(stop_ns, first_ns),
        t_s=tuple(_since_s((a + b) / 2, first_ns) for a, b in pairwise(edges.tolist())),
        throughput_rps=_counted(rate),
        in_flight=_counted(in_flight),
        loop_delay_ms=_short(loop_delays_ms(raw.samples.looks, edges)),
        pool_busy=_short(pool_busy(raw.samples, edges)),
        pool_waiting=_short(pool_waiting(raw.samples, edges)),
        server_cores=_short(server_cores(raw.samples, edges)),
        latency=_curve(seen),
        disturbances=tuple(disturbances),
        argv=tuple(raw.facts.argv),
    )


def _stop_ns(raw: Raw) -> int:
    """When the first request was cut off; where none was, just after the last one ended."""
    t1_ns = raw.facts.t1_ns
    cut_off, last = None, None
    for part in raw.requests.parts():
        unfinished = part.end_ns[part.outcome == request_layout.UNFINISHED]
        if unfinished.size:
            earliest = int(unfinished.min())
            cut_off = earliest if cut_off is None else min(cut_off, earliest)
        if part.end_ns.size:
            last = max(last or 0, int(part.end_ns.max()))
    if cut_off is not None:
        return max(t1_ns, cut_off)
    return t1_ns if last is None else max(t1_ns, last + 1)


def loop_delays_ms(looks: Sequence[Look], edges_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """How late the latest heartbeat of any worker's loop was in each bin, as far as it was seen.

    A look tells more than its own moment: since the heart had last beaten it hasn't, so the delay
    has grown ever since that beat was due.
    """
    edges = edges_ns.tolist()
    worst = [np.nan] * (len(edges) - 1)
    for look in looks:
        for page in look.gauges.values():
            if page[layout.G_MAGIC] != layout.GAUGE_MAGIC:
                continue
            beat_ns = page[layout.G_HEARTBEAT_NS]
            due_ns = beat_ns + page[layout.G_INTERVAL_NS]
            first = max(bisect_right(edges, beat_ns) - 1, 0)
            last = min(bisect_right(edges, look.ns), len(worst))
            for at in range(first, last):
                late_ms = max(0, min(look.ns, edges[at + 1]) - due_ns) / NS_PER_MS
                if not late_ms <= worst[at]:  # nor if nothing was known of it
                    worst[at] = late_ms
    return np.array(worst)


def pool_busy(samples: signals.Samples, edges_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Threads of the pools in use, each look's number until the next."""
    looked = [
        sum(page[layout.G_POOL_BUSY] for page in look.gauges.values())
        if look.gauges and later.ns - look.ns <= STALE_NS
        else np.nan
        for look, later in pairwise(samples.looks)
    ]
    return binned_mean(samples.t_ns, looked, edges_ns)


def pool_waiting(samples: signals.Samples, edges_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Tasks that wait for a thread: between two looks their exact average."""
    found = integrals.queued_readings(samples, integrals.workers(samples))
    if found is None:
        return np.full(edges_ns.size - 1, np.nan)
    waiting = binned_mean(found.t_ns, _slopes(found.t_ns, np.diff(found.grown_ns)), edges_ns)
    # A page read a moment after its look: a queue that is empty comes out a little below.
    return np.maximum(waiting, 0.0)


def server_cores(samples: signals.Samples, edges_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cores that the server's processes used: between two looks their exact average.

    It isn't known where a process has come or gone in between, and took its share along.
    """
    spent = [_spent_ns(look, later) for look, later in pairwise(samples.looks)]
    return binned_mean(samples.t_ns, _slopes(samples.t_ns, np.array(spent)), edges_ns)


def _spent_ns(look: Look, later: Look) -> float:
    before, after = look.groups.get("server"), later.groups.get("server")
    if before is None or after is None or not before.cpu_s:
        return np.nan
    if before.cpu_s.keys() != after.cpu_s.keys():
        return np.nan
    return (sum(after.cpu_s.values()) - sum(before.cpu_s.values())) * NS_PER_S


def _slopes(t_ns: NDArray[np.int64], grown_ns: NDArray[np.generic]) -> NDArray[np.float64]:
    took_ns = np.diff(t_ns)
    unknown = np.full(took_ns.size, np.nan)
    found: NDArray[np.float64] = np.divide(grown_ns, took_ns, out=unknown, where=took_ns > 0)
    return found


def _curve(seen: Latency) -> LatencyCurve:
    found = outline(seen.window.curve, seen.window.tells)
    return LatencyCurve(
        ms=_counted(found.ms),
        below=tuple(round(share, SHARE_DECIMALS) for share in found.below),
        known_to_ms=_rounded(found.known_to_ms, COUNT_DIGITS),
    )


def _since_s(ns: float, first_ns: int) -> float:
    return round((ns - first_ns) / NS_PER_S, TIME_DECIMALS)


def _short(values: NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(one) else _rounded(one, DIGITS) for one in values.tolist())


def _counted(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(_rounded(float(one), COUNT_DIGITS) for one in values)


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")
