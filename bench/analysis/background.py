"""Signals beside a row's figures, for who wants to know more: medians over its trials."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.records.model import Measured, Signals


@dataclass(frozen=True, slots=True)
class Background:
    """None where unknown. Cores are CPU seconds a second, over the window."""

    server_cores: float | None
    worker_shares: tuple[float, ...]  # of the requests, the busiest worker's first
    generator_cores: float | None
    generator_waited: float | None  # share of the window it could run but had no core
    generator_late_p99_ms: float | None  # of a timer of its own
    delay_server_cores: float | None
    overshoot_p99_ms: float | None  # by which the delay server answered late
    in_flight_peak: float | None  # inside the delay server
    database_cores: float | None = None  # of one of ours
    generators: tuple[int, ...] = (1,)  # processes of the load generator, where trials differ each


def background(trials: Sequence[Measured]) -> Background:
    """Of a row's usable trials."""

    def middle(value: Callable[[Signals], float | None]) -> float | None:
        known = [found for one in trials if (found := value(one.signals)) is not None]
        return float(median(known)) if known else None

    asked = any(one.counters.upstream_calls for one in trials)
    return Background(
        server_cores=middle(lambda s: s.server_cores),
        worker_shares=_shares(trials),
        generator_cores=middle(lambda s: s.generator_cores),
        generator_waited=middle(lambda s: s.generator_waited),
        generator_late_p99_ms=middle(lambda s: s.generator_late_p99_ms),
        delay_server_cores=middle(lambda s: s.delay_server_cores),
        overshoot_p99_ms=middle(lambda s: s.overshoot_p99_ms) if asked else None,
        in_flight_peak=middle(lambda s: s.upstream_in_flight_peak) if asked else None,
        database_cores=middle(lambda s: s.database_cores),
        generators=tuple(sorted({one.load.generators for one in trials})),
    )


def _shares(trials: Sequence[Measured]) -> tuple[float, ...]:
    """The busiest worker's share, the next one's, …: process ids differ between trials."""
    sorted_shares = [sorted(one.signals.worker_shares.values(), reverse=True) for one in trials]
    known = [shares for shares in sorted_shares if shares]
    return tuple(float(median(ranked)) for ranked in zip(*known, strict=False))
