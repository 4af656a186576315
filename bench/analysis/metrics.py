"""What a cell is judged on when it is compared.

Throughput, latency and CPU per request are what a change costs, and all three follow the
machine's speed: on a shared one that changes by half from second to second. The fastest
call of the handler follows it least, as `timeit` takes the best of its repeats: any
disturbance only adds to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.records.model import Measured


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
SHORTEST_MS = 0.1  # where a handler does less, a twentieth of it is nothing to a request
HANDLER = Metric("handler_min_ms", "fastest handler call", more_is_better=False,
                 value=lambda m: _worth(m.signals.handler_min_ms))  # fmt: skip
METRICS = (THROUGHPUT, LATENCY, CPU, HANDLER)


def _worth(handler_min_ms: float | None) -> float | None:
    return None if handler_min_ms is None or handler_min_ms < SHORTEST_MS else handler_min_ms
