"""The kinds of requests of a mix, each by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench.digest.open_load import in_flight
from bench.digest.requests import latencies, rates, requests, watched
from bench.records.model import KindFigures

if TYPE_CHECKING:
    from bench.digest.raw import Raw


def kinds(raw: Raw) -> tuple[KindFigures, ...]:
    """Counts, rate, latency and users of each, within the window."""
    return tuple(_kind(raw, number, name) for number, name in enumerate(raw.facts.kinds))


def _kind(raw: Raw, number: int, name: str) -> KindFigures:
    part = replace(raw, requests=raw.requests.of_kind(number))
    counted, rate = requests(part), rates(part)
    latency = latencies(part, watched(part), rate.throughput_rps)
    return KindFigures(
        name=name,
        completed=counted.window_succeeded + counted.window_failed,
        failed=counted.window_failed,
        throughput_rps=rate.throughput_rps,
        latency=replace(latency, mean_by_little_ms=None),
        users_avg=in_flight(part),
    )
