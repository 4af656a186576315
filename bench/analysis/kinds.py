"""The kinds of requests of a mix, each from all trials of its cell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench.stats import Percentile, pooled_percentile, spreads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.model import KindFigures, Measured

LEVELS = ("p50", "p90", "p99")


@dataclass(frozen=True, slots=True)
class Kind:
    """Of one kind; requests and failures are sums over the trials."""

    name: str
    requests: int  # completed in the windows, failed ones included
    failures: int
    throughput_rps: float  # the trials' median, as is the next
    users: float | None  # who wait for an answer of this kind, on average
    p50: Percentile
    p90: Percentile
    p99: Percentile


def kinds(measured: Sequence[Measured]) -> tuple[Kind, ...]:
    """In the order of the file; none where there is no mix."""
    if not measured or not measured[0].kinds:
        return ()
    return tuple(_kind(each) for each in zip(*(m.kinds for m in measured), strict=True))


def _kind(found: Sequence[KindFigures]) -> Kind:
    levels = {
        level: _percentile([getattr(one.latency, level) for one in found]) for level in LEVELS
    }
    waiting = [one.users_avg for one in found if one.users_avg is not None]
    return Kind(
        name=found[0].name,
        requests=sum(one.completed for one in found),
        failures=sum(one.failed for one in found),
        throughput_rps=float(median(one.throughput_rps for one in found)),
        users=float(median(waiting)) if waiting else None,
        **levels,
    )


def _percentile(found: Sequence[Percentile]) -> Percentile:
    """How far trials differ is this kind's own: other kinds have other reasons to."""
    logs = [math.log(p.value_ms) for p in found if p.value_ms is not None and p.value_ms > 0]
    spread = spreads({"": logs}, {"": ""}).get("") if logs else None
    return pooled_percentile(found, spread)
