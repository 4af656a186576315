"""What the harness itself notes of a trial: ``trial.json`` in the trial's folder.

The digest reads it beside the request records, the thread logs and the samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Facts:
    """Filled in as the trial goes on, and written whatever happens."""

    started: str = ""  # ISO 8601, UTC
    wall_s: float = 0.0
    failure: str | None = None  # why it failed
    argv: list[str] = field(default_factory=list)
    workers: list[int] = field(default_factory=list)
    workers_after: list[int] = field(default_factory=list)
    cpus: list[int] | None = None  # that the workers may run on
    loop: str | None = None
    http: str | None = None
    route_index: int = -1
    upstream_calls: int = 0
    waits: bool = False  # takes at least the delay
    # Gauge words by worker when the gate opened, and when all was over.
    gauges_before: dict[str, list[int]] = field(default_factory=dict)
    gauges_after: dict[str, list[int]] = field(default_factory=dict)
    gate_ns: int = 0
    t0_ns: int = 0
    t1_ns: int = 0
    # The delay server's counts at the window's two ends and after the trial.
    upstream_t0: dict[str, Any] | None = None
    upstream_t1: dict[str, Any] | None = None
    upstream_after: dict[str, Any] | None = None
    # What held processes back until the window's two ends (bench.run.host.throttle).
    throttle_t0: dict[str, Any] = field(default_factory=dict)
    throttle_t1: dict[str, Any] = field(default_factory=dict)
    delay_exit: int | None = None  # of the delay server, should it have ended
    phases_s: dict[str, float] = field(default_factory=dict)
