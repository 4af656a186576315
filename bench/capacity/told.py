"""A capacity in words and as JSON. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from bench.capacity.search import Found, by_rate, find, word
from bench.stats import Share, together
from bench.text import milliseconds, number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.capacity.slo import Slo
    from bench.capacity.trials import Cell, Trial
    from bench.records.model import Measured
    from bench.stats import Percentile

SCHEMA = 1
NONE = "–"
KNEE = 2.0  # times the p99 with hardly anybody there


@dataclass(slots=True)
class Capacity:
    """Of one cell, as it is found."""

    cell: str
    slos: tuple[Slo, ...]
    precision: float
    ladder: list[tuple[int, float, float | None]] = field(default_factory=list)  # users, rate, p50
    seen: Cell | None = None
    trials: list[Trial] = field(default_factory=list)
    stopped: str = ""  # why it isn't known better

    @property
    def found(self) -> Found:
        """What is known of it."""
        points = [trial.point for trial in self.trials if trial.point is not None]
        return find(points, self.slos)

    @property
    def known(self) -> bool:
        """To the precision, and no objective is left open."""
        return self.found.known(self.precision) and not self.open_errors()

    def open_errors(self) -> list[str]:
        """Objectives of failures alone that so few requests can't show to be kept."""
        low = self.found.low
        told = []
        for at, slo in enumerate(self.slos):
            if slo.within_s is not None or low is None:
                continue
            shares = [
                trial.point.shares[at]
                for trial in self.trials
                if trial.point is not None
                and not trial.point.overloaded
                and trial.rate <= self.highest
            ]
            share = together(shares)
            if share.interval()[1] >= slo.share:
                told.append(
                    f"{slo.text} isn't known: {share.found} of {share.of:,} requests failed, and"
                    f" without a failure it takes {slo.clean:,} to show it"
                )
        return told

    @property
    def highest(self) -> float:
        """The highest rate that may still hold."""
        found = self.found
        return found.high or found.low or 0.0


def headline(one: Capacity) -> str:
    """``async_json-uvicorn-w1: 812 requests/s (790 to 830) keep p99<250ms``."""
    found = one.found
    asked = ", ".join(slo.text for slo in one.slos)
    if found.low is None and found.high is None:
        return f"{one.cell}: not known: {one.stopped or 'nothing was measured'}"
    if found.low is None:
        return f"{one.cell}: not even {number(found.high or 0.0)} requests/s keep {asked}"
    if found.high is None or found.value is None:
        return f"{one.cell}: {number(found.low)} requests/s or more keep {asked}"
    ends = f"{number(found.low)} to {number(found.high)}"
    return f"{one.cell}: {number(found.value)} requests/s ({ends}) keep {asked}"


def lines(one: Capacity) -> list[str]:
    """All of it, for a terminal."""
    told = [headline(one)]
    if one.stopped:
        told.append(f"  {one.stopped}")
    told += [f"  {line}" for line in one.open_errors()]
    if limit := _limit(one):
        told.append(f"  {limit}")
    if knee := _knee(one):
        told.append(f"  {knee}")
    if one.seen is not None:
        users, rate, _ = max(one.ladder, key=lambda step: step[1])
        told.append(
            f"  users who wait for their answers get {number(rate)} requests/s at most"
            f" ({users} users)"
        )
    return [*told, "", curve(one)] if one.trials else told


def step(trial: Trial, slos: Sequence[Slo]) -> str:
    """One trial as it ends."""
    if trial.point is None or trial.point.overloaded:
        return f"{number(trial.rate)} requests/s: {trial.reason}"
    aside = f"; disturbed: {trial.reason}" if trial.disturbed else ""
    parts = [_of_one(slo, share) for slo, share in zip(slos, trial.point.shares, strict=True)]
    said = word([trial.point], slos).value
    return f"{number(trial.rate)} requests/s: {said}; {'; '.join(parts)}{aside}"


def _of_one(slo: Slo, share: Share) -> str:
    if slo.within_s is None:
        return f"{share.found} of {share.of:,} failed"
    low, high = share.interval()
    return (
        f"{_percent(share)} over {milliseconds(1e3 * slo.within_s)}"
        f" ({low:.2%} to {high:.2%}; {100 * slo.share:g}% may be)"
    )


def curve(one: Capacity) -> str:
    """A row a rate."""
    slow = [f"over {milliseconds(1e3 * s.within_s)}" for s in one.slos if s.within_s is not None]
    head = ["requests/s", "p50", "p99", "failed", "in flight", *slow, ""]
    return tabulate([_row(one, rate) for rate in sorted({t.rate for t in one.trials})], head)


def as_json(found: Sequence[Capacity]) -> dict[str, Any]:
    """For programs; docs/capacity.md describes it."""
    return {"schema": SCHEMA, "cells": [_as_json(one) for one in found]}


def _as_json(one: Capacity) -> dict[str, Any]:
    found = one.found
    limited = None if found.limited_by is None else one.slos[found.limited_by].text
    return {
        "cell": one.cell,
        "slos": [slo.text for slo in one.slos],
        "capacity_rps": {"value": found.value, "low": found.low, "high": found.high},
        "known": one.known,
        "precision": one.precision,
        "stopped": one.stopped or None,
        "open": one.open_errors(),
        "limited_by": limited,
        "why": _why(one),
        "closed_loop": [
            {"users": users, "throughput_rps": rate, "p50_ms": p50}
            for users, rate, p50 in one.ladder
        ],
        "curve": [_rate_as_json(one, rate) for rate in sorted({t.rate for t in one.trials})],
    }


def _rate_as_json(one: Capacity, rate: float) -> dict[str, Any]:
    found = [trial for trial in one.trials if trial.rate == rate]
    points = [trial.point for trial in found if trial.point is not None]
    measured = _measured(one, rate)
    return {
        "rate": rate,
        "trials": len(found),
        "verdict": word(points, one.slos).value if points else "invalid",
        "generator_late": any(trial.late for trial in found),
        "reasons": list(dict.fromkeys(trial.reason for trial in found if trial.reason)),
        "why": next((trial.why for trial in found if trial.why), None),
        "latency_ms": {
            "p50": _middle(measured, lambda m: m.latency.p50.value_ms),
            "p90": _middle(measured, lambda m: m.latency.p90.value_ms),
            "p99": _middle(measured, _p99_ms),
        },
        "failed": sum(m.requests.window_failed for m in measured),
        "requests": sum(m.open.due for m in measured if m.open is not None),
        "in_system_avg": _middle(measured, lambda m: m.population),
        "shares": {
            slo.text: _share_as_json(together([p.shares[at] for p in points if not p.overloaded]))
            for at, slo in enumerate(one.slos)
        },
    }


def _share_as_json(share: Share) -> dict[str, Any]:
    low, high = share.interval()
    return {"bad": share.found, "of": share.of, "low": low, "high": high}


def _row(one: Capacity, rate: float) -> list[str]:
    found = [trial for trial in one.trials if trial.rate == rate]
    points = [trial.point for trial in found if trial.point is not None]
    measured = _measured(one, rate)
    if not points:
        slow = sum(slo.within_s is not None for slo in one.slos)
        return [number(rate), *[NONE] * (4 + slow), "invalid"]
    said = word(points, one.slos)
    shares = [
        together([p.shares[at] for p in points if not p.overloaded])
        for at, slo in enumerate(one.slos)
        if slo.within_s is not None
    ]
    failed = sum(m.requests.window_failed for m in measured)
    late = any(trial.late for trial in found)
    over = "overloaded" if any(p.overloaded for p in points) else said.value
    return [
        number(rate),
        _percentile([m.latency.p50 for m in measured], late=late),
        _percentile([m.latency.p99 for m in measured], late=late),
        str(failed) if measured else NONE,
        number(median(m.population for m in measured)) if measured else NONE,
        *(_percent(share) if share.of else NONE for share in shares),
        over,
    ]


def _percentile(found: Sequence[Percentile], *, late: bool) -> str:
    """Where some were sent late it is that or less: each counts from when it was due."""
    known = [one.value_ms for one in found if one.value_ms is not None]
    if known:
        return f"{'≤ ' if late else ''}{milliseconds(median(known))}"
    if late:
        return NONE
    over = [one.over_ms for one in found if one.over_ms is not None]
    return f"> {milliseconds(median(over))}" if over else NONE


def _limit(one: Capacity) -> str | None:
    """What fails first, and what is used up there."""
    found = one.found
    if found.high is None:
        return None
    what = "it can't keep up"
    if found.limited_by is not None:
        what = f"{one.slos[found.limited_by].text} fails first"
    why = _why(one)
    return f"{what}: {why}" if why else what


def _why(one: Capacity) -> str | None:
    """Of the trial nearest to the capacity, of those above it if there are any."""
    found = one.found
    known = [trial for trial in one.trials if trial.why]
    if not known or found.low is None:
        return None
    about = found.value or found.low
    above = [trial for trial in known if trial.rate >= about] or known
    return min(above, key=lambda trial: abs(trial.rate - about)).why


def _knee(one: Capacity) -> str | None:
    """The first rate whose p99 is twice what it is with hardly anybody there."""
    rates = by_rate([trial.point for trial in one.trials if trial.point is not None])
    curve_of = [(rate, _middle(_measured(one, rate), _p99_ms)) for rate in rates]
    known = [(rate, p99) for rate, p99 in curve_of if p99 is not None]
    if len(known) < 2:
        return None
    first_rate, first = known[0]
    for rate, p99 in known[1:]:
        if p99 > KNEE * first:
            return (
                f"the knee: the p99 is {milliseconds(p99)} at {number(rate)} requests/s, over twice"
                f" the {milliseconds(first)} at {number(first_rate)}"
            )
    return None


def _measured(one: Capacity, rate: float) -> list[Measured]:
    return [t.measured for t in one.trials if t.rate == rate and t.measured is not None]


def _p99_ms(measured: Measured) -> float | None:
    return measured.latency.p99.value_ms


def _middle(
    measured: Sequence[Measured], value: Callable[[Measured], float | None]
) -> float | None:
    known = [found for one in measured if (found := value(one)) is not None]
    return float(median(known)) if known else None


def _percent(share: Share) -> str:
    return f"{share.value:.2%}" if share.found else "0%"
