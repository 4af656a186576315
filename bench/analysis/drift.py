"""What the controls tell: the generator's ceiling, what it adds to a latency, and drift."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.records.model import ControlRecord


@dataclass(frozen=True, slots=True)
class Drift:
    """Of the generator straight at the delay server; None where a control failed."""

    ceiling_rps: float | None  # at the start, without a delay
    ceiling_end_rps: float | None
    added_ms: float | None  # median latency beyond a delay, at the start
    added_end_ms: float | None
    failures: tuple[str, ...]
    ceilings: Mapping[int, float] = field(default_factory=dict)  # by processes, where several

    @property
    def ceiling_ratio(self) -> float | None:
        """The ceiling at the end as a share of that at the start: 1 is no drift."""
        if not self.ceiling_rps or self.ceiling_end_rps is None:
            return None
        return self.ceiling_end_rps / self.ceiling_rps


def drift(controls: Sequence[ControlRecord]) -> Drift | None:
    """The first controls of the start against the last of the end; None without controls."""
    if not controls:
        return None
    of_one = [c for c in controls if c.generators == 1]
    start = {c.wait_ms > 0: c for c in reversed(of_one) if c.when == "start"}
    end = {c.wait_ms > 0: c for c in of_one if c.when == "end"}
    several = {
        c.generators: c.throughput_rps
        for c in reversed(controls)
        if c.when == "start" and c.generators > 1 and c.throughput_rps is not None
    }
    return Drift(
        ceiling_rps=_rate(start.get(False)),
        ceiling_end_rps=_rate(end.get(False)),
        added_ms=_added_ms(start.get(True)),
        added_end_ms=_added_ms(end.get(True)),
        failures=tuple(
            f"control at {c.wait_ms} ms, {c.when}: {c.reason}" for c in controls if c.reason
        ),
        ceilings=dict(sorted(several.items())),
    )


def _rate(control: ControlRecord | None) -> float | None:
    return None if control is None else control.throughput_rps


def _added_ms(control: ControlRecord | None) -> float | None:
    if control is None or control.p50_ms is None:
        return None
    return control.p50_ms - control.wait_ms
