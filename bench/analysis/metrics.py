"""What a cell is judged on when it is compared: throughput, latency and CPU per request."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.record import Measured


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of one trial, and which way is better."""

    name: str  # as in latest.json
    title: str  # as a person reads it
    more_is_better: bool
    value: Callable[[Measured], float | None]

    def of(self, measured: Measured) -> float | None:
        """The figure, None where it is unknown or nothing that a ratio can be made of."""
        found = self.value(measured)
        return found if found is not None and math.isfinite(found) and found > 0 else None


THROUGHPUT = Metric("throughput_rps", "throughput", more_is_better=True,
                    value=lambda m: m.throughput_rps)  # fmt: skip
LATENCY = Metric("p50_ms", "latency", more_is_better=False, value=lambda m: m.latency.p50.value_ms)
CPU = Metric("cpu_ms_per_request", "CPU per request", more_is_better=False,
             value=lambda m: m.signals.server_ms_per_request)  # fmt: skip
METRICS = (THROUGHPUT, LATENCY, CPU)
